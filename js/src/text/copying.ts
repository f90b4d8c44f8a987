/** What goes to the clipboard: the pinned words or the answer as text, and the answer with its words' places as Markdown. */
import { visible } from "../page/dom.ts";

/** Ctrl-C copies what `text` gives, where the browser has nothing selected of its own. */
export function copyOnKey(widget: HTMLElement, text: () => string, signal: AbortSignal): void {
  const heard = (event: KeyboardEvent) => {
    const isCopy =
      event.key.toLowerCase() === "c" && (event.ctrlKey || event.metaKey) && !event.shiftKey && !event.altKey;
    const isField = (event.target as Element).matches("input[type=text], textarea");
    if (!isCopy || isField || document.getSelection()?.isCollapsed === false) return;
    event.preventDefault();
    event.stopPropagation(); // the notebook would copy the cell
    copy(text());
  };
  widget.addEventListener("keydown", heard, { signal });
}

/** Put text into the clipboard, where the page may. */
export function copy(text: string): void {
  void navigator.clipboard?.writeText(text).catch(() => {});
}

/** The answer as a quotation, and a list of words with their places. */
export function markdown(
  answer: string,
  places: readonly (readonly [word: string, place: string])[],
): string {
  const quoted = answer.split("\n").map((line) => `> ${escaped(line)}`.trimEnd());
  const list = places.map(([word, place]) => `- **${escaped(visible(word))}**: ${place}`);
  return `${[...quoted, "", ...list].join("\n").trimEnd()}\n`;
}

/** What a model says is text: none of it is markup. */
function escaped(text: string): string {
  return text.replace(/[\\`*_{}[\]<>#|~]/g, "\\$&");
}
