/** Where an arrow key leads from a token. */
import type { Units } from "./units.ts";

export function step(key: string, from: number, buttons: HTMLElement[], units: Units): number | null {
  const rightToLeft = getComputedStyle(buttons[from] as HTMLElement).direction === "rtl";
  switch (key) {
    case "ArrowRight":
      return units.step(from, rightToLeft ? -1 : 1);
    case "ArrowLeft":
      return units.step(from, rightToLeft ? 1 : -1);
    case "ArrowDown":
      return firstOf(otherLine(from, buttons, 1), units);
    case "ArrowUp":
      return firstOf(otherLine(from, buttons, -1), units);
    case "Home":
      return 0;
    case "End":
      return firstOf(buttons.length - 1, units);
    default:
      return null;
  }
}

function firstOf(token: number, units: Units): number {
  return units.of(token)[0] as number;
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
