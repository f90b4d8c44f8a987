/** Check: from the button to the verdict, in a whole view. */
import { describe, expect, it } from "vitest";
import { aroundEach, model, page, show } from "../support/page.ts";

aroundEach();

const REPLY = {
  type: "check",
  sentence: "“red” needs this place: covering it costs 2.0 nats, any other of its size at most 0.4.",
  costs: [
    { name: "This place, mean colour", nats: 3 },
    { name: "This place, blurred", nats: 1.5 },
    { name: "Another place, on average", nats: -0.6 },
    { name: "Everything, blurred", nats: -0.001 },
  ],
};

const RED = 4;
const verdict = () => page.one(".tam-verdict");
const isOpen = () => verdict().dataset.open !== undefined;
const sentence = () => page.one(".tam-sentence").textContent;

function reply(more: object = REPLY, request = model.others.at(-1)): void {
  model.trigger("msg:custom", { ...more, id: request?.id }, []);
}

/** Pin a word and ask. */
function ask(token = RED): void {
  page.click(token);
  page.button("Check").click();
}

describe("Check", () => {
  it("asks for the pinned word and shows the sentence and each cost", () => {
    show();
    ask();
    expect(model.others).toMatchObject([{ type: "check", tokens: [RED] }]);
    expect(sentence()).toBe("Checking…");
    reply();
    expect(sentence()).toBe(REPLY.sentence);
    expect(page.one(".tam-verdict .tam-name").textContent).toBe("red");
    const rows = page.all(".tam-cost");
    expect(rows.map((row) => row.lastElementChild?.textContent)).toEqual(["3.00", "1.50", "−0.60", "0.00"]);
    expect(page.all(".tam-cost .tam-bar").map((bar) => bar.style.width.replace(/\.\d+/, ""))).toEqual([
      "100%",
      "50%",
      "20%",
      "0%",
    ]);
    expect(rows.map((row) => row.className)).toEqual([
      "tam-cost tam-chosen",
      "tam-cost tam-chosen",
      "tam-cost tam-gain",
      "tam-cost tam-gain",
    ]);
    expect(page.live.textContent).toBe(REPLY.sentence);
  });

  it("asks on while it takes longer, and says how far it is", () => {
    show();
    ask();
    reply({ type: "later", share: 0.38 });
    expect(sentence()).toBe("Checking… 38 %");
    expect(model.others).toHaveLength(2);
    reply();
    expect(sentence()).toBe(REPLY.sentence);
  });

  it("is cancelled: nothing more is asked, and the focus is where it was", () => {
    show();
    ask();
    expect(document.activeElement?.textContent).toBe("Cancel");
    page.button("Cancel").click();
    expect(isOpen()).toBe(false);
    expect(document.activeElement?.textContent).not.toBe("Cancel");
    reply({ type: "later", share: 0.5 });
    expect(model.others).toHaveLength(1);
    reply(REPLY, model.others[0]);
    expect(isOpen()).toBe(false);
  });

  it("says what went wrong, and can be closed", () => {
    show();
    ask();
    model.fail(model.others[0], "ModelGoneError", "the model is gone");
    expect(sentence()).toBe("ModelGoneError: the model is gone");
    expect(page.all(".tam-cost")).toEqual([]);
    page.key("Escape");
    expect(isOpen()).toBe(false);
    expect(page.token(RED).getAttribute("aria-pressed")).toBe("true"); // one thing at a time
  });

  it("answers to C, and to it alone, where a word of the answer is looked at", () => {
    show();
    page.token(RED).focus();
    page.hover(RED);
    for (const modifier of ["ctrlKey", "metaKey", "altKey"]) page.key("c", { [modifier]: true });
    expect(model.others).toEqual([]);
    expect(page.key("c")).toBe(true);
    expect(model.others).toMatchObject([{ type: "check", tokens: [RED] }]);
  });

  it("has no button for the prompt, which the model did not say", () => {
    show();
    page.click(0);
    expect(page.button("Check").classList).toContain("tam-none");
    expect(page.key("c")).toBe(false);
    expect(model.others).toEqual([]);
    page.click(RED);
    expect(page.button("Check").classList).not.toContain("tam-none");
  });
});
