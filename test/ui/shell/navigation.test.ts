// @vitest-environment happy-dom
import { afterEach, beforeEach, expect, test } from "vitest";
import { openView, shownView } from "../../../src/ui/shell/navigation.ts";
import { hidden, view } from "../../../src/ui/state/app.ts";

const frame = () => new Promise(requestAnimationFrame);
const focused = () => document.activeElement?.id;

/** A page of two tabs whose panel is filled by the view that is shown. */
function page(): HTMLElement {
  document.body.innerHTML = `<button id="elsewhere"></button><div id="loop"></div>
    <button id="tab-rollouts"></button><button id="tab-chat"></button>
    <div id="view-panel"><button id="inside"></button></div>`;
  return document.getElementById("view-panel") as HTMLElement;
}

beforeEach(() => {
  view.value = "rollouts";
});
afterEach(() => {
  hidden.value = new Set();
});

test("a view opened out of another takes the focus to its tab", async () => {
  const panel = page();
  document.getElementById("inside")?.focus();
  openView("chat");
  panel.innerHTML = "";
  await frame();
  expect([view.value, focused()]).toEqual(["chat", "tab-chat"]);
});

test("the focus stays where it was outside of the view, and in a view that stays", async () => {
  page();
  document.getElementById("elsewhere")?.focus();
  openView("chat");
  await frame();
  expect(focused()).toBe("elsewhere");
  document.getElementById("inside")?.focus();
  openView("chat");
  await frame();
  expect(focused()).toBe("inside");
});

test("the first view that is not hidden stands in for one that is", () => {
  view.value = "learning";
  hidden.value = new Set(["learning"]);
  expect(shownView()).toBe("rollouts");
  hidden.value = new Set(["learning", "rollouts", "timeline", "settings", "chat"]);
  expect(shownView()).toBeUndefined();
});
