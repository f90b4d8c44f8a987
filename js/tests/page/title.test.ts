/** The heading over the widget. */
import { expect, it } from "vitest";
import { aroundEach, model, page, show } from "../support/page.ts";

aroundEach();

it("stands under its title, if it has one", () => {
  show({ title: "Model A" });
  const title = page.one(".tam-title");
  expect([title.textContent, title.hidden]).toEqual(["Model A", false]);
  model.set("title", "");
  expect(title.hidden).toBe(true);
});
