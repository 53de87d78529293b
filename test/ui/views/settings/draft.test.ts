import { beforeEach, describe, expect, it, vi } from "vitest";
import { draftRecipe } from "../../../../src/ui/state/app.ts";
import { checked, startChecking } from "../../../../src/ui/views/settings/checking.ts";
import {
  draftProblem,
  draftText,
  foundProblems,
  noteTyping,
  typeText,
  writeDraft,
} from "../../../../src/ui/views/settings/draft.ts";
import {
  fieldValue,
  importText,
  pickRecipe,
  problemsByPath,
  resetAll,
  setPath,
  undo,
} from "../../../../src/ui/views/settings/form_state.ts";
import { knobValue } from "../../../../src/ui/views/settings/turn.ts";

beforeEach(() => {
  foundProblems.value = [];
  writeDraft({ extends: "default" });
});

describe("the editor's text and the draft", () => {
  it("leaves text as it is typed, and the draft follows", () => {
    const text = '{"seed":   3, "extends":"default"}';
    typeText(text);
    expect(draftText.value).toBe(text);
    expect(draftRecipe.value).toEqual({ seed: 3, extends: "default" });
    expect(draftProblem.value).toBeNull();
  });

  it("keeps the last good draft under text that is no JSON, and says where it breaks", () => {
    typeText('{\n  "seed": 3\n}');
    typeText('{\n  "seed": 3,\n}');
    expect(draftRecipe.value).toEqual({ seed: 3 });
    expect(draftProblem.value).toMatch(/^Cannot read the recipe: line 3, column 1: .*trailing commas/);
    expect(draftProblem.value).not.toContain("position");
    typeText("[1]");
    expect(draftProblem.value).toContain("it holds no JSON object");
    typeText('{ "seed": 4 }');
    expect([draftProblem.value, draftRecipe.value]).toEqual([null, { seed: 4 }]);
  });

  it("refuses text of which JSON would lose a part, and text that nobody could walk through", () => {
    typeText('{\n  "trainer": { "learningRate": 0.1 },\n  "trainer": { "groupSize": 4 }\n}');
    expect(draftProblem.value).toContain("line 3: `trainer` is written twice");
    expect(draftRecipe.value).toEqual({ extends: "default" });
    typeText(`{ "task": ${"[".repeat(60_000)}${"]".repeat(60_000)} }`);
    expect(draftProblem.value).toContain("more than 64 deep");
    typeText(`{ "description": "${"x".repeat(300_000)}" }`);
    expect(draftProblem.value).toContain("a recipe at most 200000");
    expect(draftRecipe.value).toEqual({ extends: "default" });
  });

  it("writes the text anew where the form changed the draft, in the draft's order", () => {
    typeText('{"seed":3,"extends":"default"}');
    setPath("steps", 7);
    expect(draftText.value).toBe('{\n  "seed": 3,\n  "extends": "default",\n  "steps": 7\n}');
  });

  it("follows a draft that came from elsewhere, such as the address", () => {
    draftRecipe.value = { extends: "smoke" };
    expect(draftText.value).toBe('{\n  "extends": "smoke"\n}');
  });
});

describe("what replaces a draft whole", () => {
  it("can be taken back, to the letter", () => {
    const text = '{"extends":"default","seed":5}';
    for (const replace of [() => pickRecipe("sync"), resetAll, () => importText("a.json", '{"x": oops')]) {
      typeText(text);
      replace();
      expect(draftText.value).not.toBe(text);
      undo();
      expect(draftText.value).toBe(text);
      expect(draftRecipe.value).toEqual({ extends: "default", seed: 5 });
    }
  });

  it("keeps the recipe when all settings are reset", () => {
    typeText('{"extends":"smoke","seed":5}');
    resetAll();
    expect(draftRecipe.value).toEqual({ extends: "smoke" });
  });
});

describe("draftProblem", () => {
  it("tells of what is half-typed in a field before it is lost", () => {
    noteTyping("steps", {
      code: "config/wrong-type",
      message: "Cannot use this",
      hint: "write it",
      paths: ["steps"],
    });
    expect(draftProblem.value).toBe("Cannot use this. To mend it: write it");
    expect(problemsByPath.value.get("steps")).toHaveLength(1);
    foundProblems.value = [{ code: "config/out-of-range", message: "Of the draft", paths: ["steps"] }];
    expect(problemsByPath.value.get("steps")?.map(({ message }) => message)).toEqual(["Cannot use this"]);
    foundProblems.value = [];
    noteTyping("steps", null);
    expect(draftProblem.value).toBeNull();
  });

  it("comes of the check, a moment behind the draft, and goes with its cause", async () => {
    const file = (address: URL) =>
      address.pathname.endsWith("/recipes/default.json") ? '{"trainer":{"groupSize":4}}' : "<!doctype html>";
    vi.stubGlobal("document", { baseURI: "http://localhost/" });
    vi.stubGlobal("fetch", async (address: URL) => new Response(file(address)));
    startChecking();
    await vi.waitFor(() => expect(checked.value?.draft).toEqual({ extends: "default" }));
    expect(fieldValue("trainer.groupSize")).toEqual({
      own: undefined,
      inherited: 4,
      from: "recipe",
      derived: undefined,
    });
    expect(fieldValue("trainer.epsilonHigh")).toMatchObject({ inherited: undefined, derived: 0.28 });
    setPath("trainer.learningRate", 5);
    await vi.waitFor(() => expect(draftProblem.value).toContain("it takes a number from 0 to 1"));
    expect(problemsByPath.value.has("trainer.learningRate")).toBe(true);
    setPath("trainer.learningRate", undefined);
    await vi.waitFor(() => expect(draftProblem.value).toBeNull());
    vi.unstubAllGlobals();
  });
});

describe("knobValue()", () => {
  it("is what was turned last, else the recipe's, else the default", () => {
    const turned = [
      { step: 2, knobs: { temperature: 0.5 } },
      { step: 4, knobs: { temperature: 0.7, learningRate: 1e-4 } },
      { step: 5, knobs: { epsilonHigh: 1 } },
    ];
    expect(knobValue("temperature", { generator: { temperature: 2 } }, turned)).toBe(0.7);
    expect(knobValue("temperature", { generator: { temperature: 2 } }, [])).toBe(2);
    expect(knobValue("learningRate", {}, [])).toBe(3e-4);
    expect(knobValue("epsilonHigh", {}, [])).toBeNull();
  });
});
