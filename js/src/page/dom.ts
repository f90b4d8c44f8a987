/** Elements, made short. Text goes in as text, never as markup: what a model says is data. */

type Attributes = Record<string, string | number | boolean>;

export function element<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  className = "",
  attributes: Attributes = {},
  ...children: (Node | string)[]
): HTMLElementTagNameMap[K] {
  const node = document.createElement(tag);
  if (className) node.className = className;
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== false) node.setAttribute(name, value === true ? "" : String(value));
  }
  node.append(...children);
  return node;
}

/** A token's text for a label: without its outer space; what cannot be seen becomes a sign. */
export function visible(text: string): string {
  const core = text.trim() || text.replaceAll(" ", "␣");
  return core.replaceAll("\n", "↵").replaceAll("\t", "⇥").replaceAll("\r", "") || "∅";
}
