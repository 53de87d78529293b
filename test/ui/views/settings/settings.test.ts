// @vitest-environment happy-dom
import { readFileSync } from "node:fs";
import { h, render } from "preact";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { settingPaths } from "../../../../src/config/describe.ts";
import { draftRecipe, live } from "../../../../src/ui/state/app.ts";
import { RunFeed } from "../../../../src/ui/state/run_feed.ts";
import { checked } from "../../../../src/ui/views/settings/checking.ts";
import { draftProblem, writeDraft } from "../../../../src/ui/views/settings/draft.ts";
import { Settings } from "../../../../src/ui/views/settings/Settings.tsx";
import { onTurn } from "../../../../src/ui/views/settings/turn.ts";

const publicFolder = new URL("../../../../public/", `file://${import.meta.filename}`);
let host: HTMLElement;

const find = <T extends Element = HTMLInputElement>(selector: string): T => {
  const found = host.querySelector<T>(selector);
  if (!found) throw new Error(`nothing on the page is ${selector}`);
  return found;
};
const field = (path: string) => find(`#setting-${path.replace(/\./g, "-")}`);
const type = (input: HTMLInputElement | HTMLTextAreaElement, text: string) => {
  input.value = text;
  input.dispatchEvent(new Event("input", { bubbles: true }));
};
const editor = () => find<HTMLTextAreaElement>(".settings-text");
const settled = (draft: unknown) => vi.waitFor(() => expect(checked.value?.draft).toEqual(draft));

beforeEach(async () => {
  vi.stubGlobal("fetch", async (address: URL) => {
    const path = address.pathname.replace(/^.*\/(recipes|models)\//, "$1/");
    return new Response(readFileSync(new URL(path, publicFolder), "utf8"));
  });
  writeDraft({ extends: "default" });
  host = document.body.appendChild(document.createElement("div"));
  render(h(Settings, {}), host);
  await settled({ extends: "default" });
  await vi.waitFor(() => expect(find<HTMLFieldSetElement>(".settings-all").disabled).toBe(false));
});
afterEach(() => {
  render(null, host);
  host.remove();
  live.value = null;
  vi.unstubAllGlobals();
});

describe("Settings", () => {
  it("has a row for every setting, each with a label and a description", async () => {
    for (const folded of host.querySelectorAll("details")) {
      folded.open = true;
      folded.dispatchEvent(new Event("toggle"));
    }
    const shown = () => [...host.querySelectorAll("[data-path]")].map((row) => row.getAttribute("data-path"));
    // The recipe to start from has the picker; of the sources of problems one is shown at a time.
    const expected = settingPaths().filter((path) => !/^(extends|tasks|data)(\[\])?\b/.test(path));
    await vi.waitFor(() => expect(shown().toSorted()).toEqual(expected.toSorted()));
    for (const row of host.querySelectorAll("[data-path]")) {
      expect(row.querySelector(".settings-help")?.textContent).not.toBe("");
      const control = row.querySelector("input:not([type=radio]), select, textarea");
      if (control) expect(row.querySelector(`label[for="${control.id}"]`)).not.toBeNull();
    }
  });

  it("writes into the recipe what is set in the form, and takes it out at a reset", async () => {
    type(field("trainer.learningRate"), "0.001");
    expect(draftRecipe.value).toEqual({ extends: "default", trainer: { learningRate: 0.001 } });
    await vi.waitFor(() => expect(editor().value).toContain('"learningRate": 0.001'));
    const reset = await vi.waitFor(() =>
      find<HTMLButtonElement>('[data-path="trainer.learningRate"] .settings-reset'),
    );
    expect(reset.getAttribute("aria-label")).toBe("Changed. Reset Learning rate to 0.0003");
    reset.click();
    expect(draftRecipe.value).toEqual({ extends: "default" });
    await vi.waitFor(() => expect(field("trainer.learningRate").value).toBe("0.0003"));
  });

  it("shows a mistake beside its field and by its line, and keeps the run from starting", async () => {
    type(editor(), '{\n  "extends": "default",\n  "steps": 0\n}');
    await vi.waitFor(() => expect(draftProblem.value).toContain("Cannot use 0 as `steps`"));
    await vi.waitFor(() => expect(find("#setting-steps-wrong").textContent).toContain("from 1 to 1000000"));
    expect(field("steps").getAttribute("aria-invalid")).toBe("true");
    expect(field("steps").getAttribute("aria-describedby")).toContain("setting-steps-wrong");
    expect(find(".settings-line").textContent).toBe("Line 3");
  });

  it("lets the form wait while the JSON is broken, and takes the text back", async () => {
    const good = '{ "extends": "default", "steps": 5 }';
    type(editor(), good);
    type(editor(), good.slice(0, -1));
    await vi.waitFor(() => expect(find<HTMLFieldSetElement>(".settings-all").disabled).toBe(true));
    expect(draftRecipe.value).toMatchObject({ steps: 5 });
    find<HTMLButtonElement>(".settings-waits button").click();
    await vi.waitFor(() => expect(editor().value).toBe(good));
    await vi.waitFor(() => expect(find<HTMLFieldSetElement>(".settings-all").disabled).toBe(false));
    expect(field("steps").value).toBe("5");
  });

  it("starts from another recipe and refuses `digits` with its reason", async () => {
    const radios = [...host.querySelectorAll<HTMLInputElement>('input[name="recipe"]')];
    const digits = radios.find((radio) => radio.parentElement?.textContent === "digits");
    digits?.click();
    digits?.dispatchEvent(new Event("change", { bubbles: true }));
    await settled({ extends: "digits" });
    expect(draftProblem.value).toContain("this recipe names no `model`");
    await vi.waitFor(() => expect(find(".settings-description").textContent).toContain("Digit completion"));
    type(field("model"), "mine");
    await vi.waitFor(() => expect(draftProblem.value).toBeNull());
  });

  it("turns a run that trains, within the bounds of the setting, and leaves the draft alone", async () => {
    const told: unknown[] = [];
    const before = onTurn.value;
    onTurn.value = (knobs) => told.push(knobs);
    const feed = new RunFeed("now", "live", { trainer: { learningRate: 0.002 } });
    feed.phase.value = "training";
    live.value = feed;
    const input = await vi.waitFor(() => find("#turn-learningRate"));
    expect(input.value).toBe("0.002");
    type(input, "7");
    await vi.waitFor(() =>
      expect(find("#turn-learningRate-note").textContent).toContain("the run keeps 0.002"),
    );
    type(input, "0.01");
    await vi.waitFor(() => expect(told).toEqual([{ learningRate: 0.01 }]));
    expect(draftRecipe.value).toEqual({ extends: "default" });
    feed.phase.value = "done";
    await vi.waitFor(() => expect(host.querySelector("#turn-learningRate")).toBeNull());
    onTurn.value = before;
  });
});
