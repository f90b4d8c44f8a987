/** Where an arrow key leads from a token. */

export function step(key: string, from: number, buttons: HTMLElement[]): number | null {
  const last = buttons.length - 1;
  const rightToLeft = getComputedStyle(buttons[from] as HTMLElement).direction === "rtl";
  switch (key) {
    case "ArrowRight":
      return clamp(from + (rightToLeft ? -1 : 1), last);
    case "ArrowLeft":
      return clamp(from + (rightToLeft ? 1 : -1), last);
    case "ArrowDown":
      return otherLine(from, buttons, 1);
    case "ArrowUp":
      return otherLine(from, buttons, -1);
    case "Home":
      return 0;
    case "End":
      return last;
    default:
      return null;
  }
}

function clamp(token: number, last: number): number {
  return Math.min(Math.max(token, 0), last);
}

/** The token of the next (or previous) line that is nearest to being below (or above). */
function otherLine(from: number, buttons: HTMLElement[], direction: 1 | -1): number {
  const start = (buttons[from] as HTMLElement).getBoundingClientRect();
  const middle = (start.left + start.right) / 2;
  let best = from;
  let bestDistance = Number.POSITIVE_INFINITY;
  let line: number | null = null;
  for (let i = from + direction; i >= 0 && i < buttons.length; i += direction) {
    const box = (buttons[i] as HTMLElement).getBoundingClientRect();
    if (direction > 0 ? box.top < start.bottom - 2 : box.bottom > start.top + 2) continue;
    line ??= box.top;
    if (Math.abs(box.top - line) > box.height / 2) break;
    const distance = Math.abs((box.left + box.right) / 2 - middle);
    if (distance < bestDistance) {
      bestDistance = distance;
      best = i;
    }
  }
  return best;
}
