/** The panel under the text: the active token, what else it might have been, where its map peaks. Its height never changes. */
import { element, visible } from "./dom.ts";
import type { Token } from "./protocol.ts";
import { placeOf } from "./text.ts";

const IDLE = "Hover a word to see where the model looked.\nClick to pin it. Arrow keys walk, Esc lets go.";
const GIVEN = "Given in the prompt, not chosen by the model.";

interface Row {
  node: HTMLElement;
  text: HTMLElement;
  bar: HTMLElement;
  probability: HTMLElement;
}

export class DetailView {
  readonly node = element("div", "tam-detail");
  readonly #name = element("span", "tam-name", { dir: "auto" });
  readonly #place = element("span", "tam-place");
  readonly #hint = element("div", "tam-hint");
  readonly #rows: Row[] = [];
  readonly #where = element("div", "tam-where");
  readonly #tokens: Token[];

  constructor(tokens: Token[]) {
    this.#tokens = tokens;
    const most = tokens.reduce((rows, token) => Math.max(rows, token.candidates.length), 0);
    const list = element("ul", "tam-candidates", { "aria-label": "Candidates" });
    for (let i = 0; i < most; i++) {
      const row: Row = {
        node: element("li", "tam-candidate"),
        text: element("span", "tam-candidate-text", { dir: "auto" }),
        bar: element("span", "tam-bar"),
        probability: element("span", "tam-probability"),
      };
      row.node.append(
        row.text,
        element("span", "tam-track", { "aria-hidden": "true" }, row.bar),
        row.probability,
      );
      list.append(row.node);
      this.#rows.push(row);
    }
    this.node.append(
      element("div", "tam-heading", {}, this.#name, this.#place),
      list,
      this.#where,
      this.#hint,
    );
    this.show(null);
  }

  show(index: number | null): void {
    const token = index === null ? undefined : this.#tokens[index];
    this.#hint.textContent = token ? (token.candidates.length ? "" : GIVEN) : IDLE;
    this.#hint.classList.toggle("tam-idle", !token);
    this.#name.textContent = token ? visible(token.text) : "";
    this.#place.textContent = index === null ? "" : placeOf(index, this.#tokens);
    const candidates = token?.candidates ?? [];
    const labels = distinct(candidates.map((candidate) => candidate.text));
    for (const [i, row] of this.#rows.entries()) {
      const candidate = candidates[i];
      row.node.classList.toggle("tam-none", !candidate);
      row.node.classList.toggle("tam-chosen", candidate?.chosen === true);
      row.node.title = candidate ? `rank ${candidate.rank}` : "";
      row.text.textContent = labels[i] ?? "";
      row.bar.style.width = `${(candidate?.probability ?? 0) * 100}%`;
      row.probability.textContent = candidate ? candidate.probability.toFixed(2) : "";
    }
    this.where("");
  }

  where(text: string): void {
    this.#where.textContent = text;
  }
}

/** Labels without outer space, but for those that would then look the same. */
function distinct(texts: string[]): string[] {
  const labels = texts.map(visible);
  return labels.map((label, i) =>
    labels.indexOf(label) === labels.lastIndexOf(label) ? label : (texts[i] as string).replaceAll(" ", "␣"),
  );
}
