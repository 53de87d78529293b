import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { findField } from "../../../../src/config/describe.ts";
import { mergeLayers } from "../../../../src/config/resolve.ts";
import { readTyped, spellTyped } from "../../../../src/ui/views/settings/typed_value.ts";
import {
  type Layer,
  setField,
  setItems,
  setSource,
  sourceKind,
  valueAt,
  withoutValue,
  withValue,
} from "../../../../src/ui/views/settings/values.ts";

const fieldAt = (path: string) => findField(path) as NonNullable<ReturnType<typeof findField>>;

const BASE: Layer = {
  steps: 30,
  task: { name: "chain_sum", options: { maxTerms: 2 } },
  trainer: { groupSize: 8, learningRate: 3e-4 },
};

describe("setField()", () => {
  it("says only what differs from the recipe and the schema", () => {
    const faster = setField({ extends: "default" }, BASE, "trainer.learningRate", 1e-3);
    expect(faster).toEqual({ extends: "default", trainer: { learningRate: 1e-3 } });
    expect(setField(faster, BASE, "trainer.learningRate", 3e-4)).toEqual({ extends: "default" });
    expect(setField(faster, BASE, "trainer.learningRate", undefined)).toEqual({ extends: "default" });
    // The schema's default where the recipe is silent: 10.
    expect(setField({}, BASE, "checkpoint.every", 10)).toEqual({});
    expect(setField({}, BASE, "trainer.epsilonHigh", 0.28)).toEqual({ trainer: { epsilonHigh: 0.28 } });
  });

  it("keeps the order of keys and what it does not know", () => {
    const draft = { trainer: { loss: "dapo", learningRte: 1, groupSize: 4 }, seed: 3, extends: "default" };
    const next = setField(draft, BASE, "trainer.groupSize", 16);
    expect(JSON.stringify(next)).toBe(
      '{"trainer":{"loss":"dapo","learningRte":1,"groupSize":16},"seed":3,"extends":"default"}',
    );
    expect(draft.trainer.groupSize).toBe(4);
  });

  it("lets what is set be what holds, whatever was there", () => {
    const paths = ["steps", "trainer.learningRate", "trainer.truncatedImportance.cap", "generator.topK"];
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.constantFrom(...paths), fc.option(fc.integer({ min: 1, max: 40 })))),
        (edits) => {
          let draft: Layer = { extends: "default" };
          for (const [path, value] of edits) draft = setField(draft, BASE, path, value ?? undefined);
          for (const path of paths) {
            const last = edits.findLast(([at]) => at === path)?.[1] ?? null;
            const held = valueAt(mergeLayers(BASE, draft), path) ?? findField(path)?.default;
            expect(held).toBe(last ?? valueAt(BASE, path) ?? findField(path)?.default);
          }
          expect(JSON.stringify(draft)).not.toContain("{}");
        },
      ),
    );
  });

  it("drops options with their task, and names the task that options are for", () => {
    const draft = { task: { options: { maxTerms: 4 } } };
    expect(setField(draft, BASE, "task.name", "sorting")).toEqual({ task: { name: "sorting" } });
    expect(setField({}, {}, "task.options", { maxTerms: 4 })).toEqual({
      task: { name: "chain_sum", options: { maxTerms: 4 } },
    });
    expect(setField({}, BASE, "task.options", { maxTerms: 4 })).toEqual(draft);
  });

  it("copies a list of the recipe before it changes one entry", () => {
    const base = { tasks: [{ name: "chain_sum" }, { name: "sorting", weight: 2 }] };
    const next = setField({}, base, "tasks.1.weight", 3);
    expect(next).toEqual({ tasks: [{ name: "chain_sum" }, { name: "sorting", weight: 3 }] });
    expect(setField(next, base, "tasks.1.weight", undefined)).toEqual({
      tasks: [{ name: "chain_sum" }, { name: "sorting" }],
    });
    expect(base.tasks[1].weight).toBe(2);
    expect(setItems(next, base, "tasks", base.tasks)).toEqual({});
  });
});

describe("setSource()", () => {
  it("keeps one source, and none where the recipe has that kind", () => {
    const file = setSource({ extends: "x", task: { name: "sorting" } }, BASE, "data");
    expect(file).toEqual({ extends: "x", data: { file: "" } });
    expect(sourceKind(mergeLayers(BASE, file))).toBe("data");
    expect(setSource(file, BASE, "task")).toEqual({ extends: "x" });
    expect(sourceKind(mergeLayers(BASE, setSource(file, BASE, "tasks")))).toBe("tasks");
    expect(sourceKind({})).toBe("task");
  });
});

describe("withValue() and withoutValue()", () => {
  it("undo each other where there was nothing", () => {
    const layer = { a: { b: 1 }, list: [{ name: "x" }] };
    expect(withoutValue(withValue(layer, "c.d.e", 1), "c.d.e")).toEqual(layer);
    expect(withoutValue(withValue(layer, "a.c", 1), "a.c")).toEqual(layer);
    expect(withoutValue(layer, "list.0.name")).toEqual({ a: { b: 1 }, list: [{}] });
    expect(withoutValue(layer, "list.0")).toEqual({ a: { b: 1 }, list: [] });
    expect(withoutValue(layer, "no.such")).toBe(layer);
  });
});

describe("readTyped()", () => {
  it.each([
    ["trainer.learningRate", "1e-3", { kind: "value", value: 0.001 }],
    ["trainer.learningRate", "", { kind: "none" }],
    ["steps", "-4", { kind: "value", value: -4 }],
    ["verifier.rewards", "magistral, short,", { kind: "value", value: ["magistral", "short"] }],
    ["verifier.weights", "1, 0.5, x", { kind: "value", value: [1, 0.5, "x"] }],
    ["task.options", '{"maxTerms": 4}', { kind: "value", value: { maxTerms: 4 } }],
    ["model", "", { kind: "value", value: "" }],
    ["verifier.rewardModule", "", { kind: "none" }],
  ])("reads %s from %j", (path, text, typed) => {
    expect(readTyped(fieldAt(path), text)).toEqual(typed);
  });

  it("refuses what cannot stand in a draft, in the config's words", () => {
    expect(readTyped(fieldAt("steps"), "", true)).toMatchObject({
      kind: "bad",
      problem: {
        message: "Cannot use what is typed as `steps`: it takes a whole number from 1 to 1000000",
        paths: ["steps"],
      },
    });
    expect(readTyped(fieldAt("task.options"), "{max")).toMatchObject({
      kind: "bad",
      problem: { message: "Cannot use {max as `task.options`: it takes an object" },
    });
  });

  it("reads what it writes", () => {
    const values: [string, unknown][] = [
      ["verifier.rewards", ["a", "b"]],
      ["verifier.weights", [1, 0.5]],
      ["task.options", { a: [1] }],
      ["trainer.adamEps", 1e-8],
      ["model", "builtin:chain-sum"],
    ];
    for (const [path, value] of values) {
      const text = spellTyped(fieldAt(path), value);
      expect(readTyped(fieldAt(path), text)).toEqual({ kind: "value", value });
    }
    expect(spellTyped(fieldAt("steps"), undefined)).toBe("");
  });
});
