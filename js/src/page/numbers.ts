/** Numbers as a person reads them. */

/** Two decimals; a weak map gets as many as it needs. */
export function decimals(value: number): string {
  return value === 0 || value >= 0.095 ? value.toFixed(2) : value.toPrecision(1);
}

/** The same of a difference. */
export function signed(value: number): string {
  return value === 0 ? decimals(0) : `${value < 0 ? "−" : "+"}${decimals(Math.abs(value))}`;
}

/** A probability to two significant digits; what is hardly possible is not told apart. */
export function probability(share: number): string {
  if (share >= 0.095) return share.toFixed(2);
  return share >= 0.0095 ? share.toFixed(3) : "<0.01";
}

export function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}

/** 1st, 2nd, … of some. */
export function ordinal(rank: number): string {
  const teen = Math.floor(rank / 10) % 10 === 1;
  return `${rank}${(!teen && ["", "st", "nd", "rd"][rank % 10]) || "th"}`;
}

/** A loss of log-probability; a gain has a minus. */
export function nats(value: number): string {
  const shown = Math.abs(value).toFixed(2);
  return value < 0 && Number(shown) > 0 ? `−${shown}` : shown;
}

/** A frame's time as a person reads it; figures do the same (`tam_widget/figures/style.py`). */
export function seconds(time: number): string {
  return `${time.toFixed(2).replace(/0$/, "")} s`;
}
