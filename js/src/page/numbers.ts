/** Numbers as a person reads them. */

/** Two decimals; a weak map gets as many as it needs. */
export function decimals(value: number): string {
  return value === 0 || value >= 0.095 ? value.toFixed(2) : value.toPrecision(1);
}

/** The same of a difference. */
export function signed(value: number): string {
  return value === 0 ? decimals(0) : `${value < 0 ? "−" : "+"}${decimals(Math.abs(value))}`;
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
