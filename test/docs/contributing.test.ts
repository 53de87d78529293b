import { describe, expect, it } from "vitest";
import { describeFields } from "../../src/config/describe.ts";
import { makeTask, TASKS } from "../../src/tasks/registry.ts";
import { POLICY_LOSSES } from "../../src/trainer/losses/registry.ts";
import { BUILT_IN_REWARDS } from "../../src/verifier/rewards/registry.ts";
import { callReward, loadRewards } from "../../src/verifier/user_module.ts";
import { filesBelow, has, importsOf, readText, stemOf } from "../style/tree.ts";
import {
  codeSpans,
  fencedBlocks,
  isPath,
  missingThings,
  npmCommands,
  numberedSteps,
  section,
} from "./markdown.ts";

const page = "CONTRIBUTING.md";
const text = readText(page);
const chapters = ["A kernel", "A loss", "A task", "A reward"];
const source = filesBelow("src", /\.ts$/);

/** Names in a step, in backquotes beside a file, that none of the files of that step holds. */
function strangeNames(step: string): string[] {
  const code = codeSpans(step);
  const files = code.filter((path) => isPath(path) && /\.\w+$/.test(path) && has(path));
  const names = code.filter((name) => /^[a-zA-Z_]\w{3,}$/.test(name) && !/^(FOLDER|STEM|NAME)$/.test(name));
  if (files.length === 0) return [];
  return names.filter((name) => !files.some((path) => new RegExp(`\\b${name}\\b`).test(readText(path))));
}

/** Names of the exports of a type in the files of a folder, by stem. */
function exportsOfType(folder: string, type: string): string[] {
  const declared = new RegExp(`^export const \\w+: ${type} = `, "m");
  return filesBelow(folder, /\.ts$/)
    .filter((path) => declared.test(readText(path)))
    .map(stemOf)
    .sort();
}

// Broken on purpose once: a registry's name, a method in the example, the numbers of the steps. Each fails below.
describe("CONTRIBUTING.md", () => {
  it("names files, folders, links and scripts that exist", () => {
    expect(missingThings(page)).toEqual([]);
  });

  it("keeps to a page, with steps numbered from 1 in every chapter", () => {
    expect(text.split("\n").length).toBeLessThan(90);
    for (const chapter of chapters) {
      const numbers = numberedSteps(section(text, chapter)).map(({ number }) => number);
      expect(numbers.length, chapter).toBeGreaterThan(3);
      expect(numbers, chapter).toEqual(numbers.map((_, i) => i + 1));
    }
  });

  it("finds the names of a step in the files of that step", () => {
    expect(strangeNames("`defineKernels` in `src/gpu/kernel.ts`")).toEqual(["defineKernels"]);
    const steps = chapters.flatMap((chapter) => numberedSteps(section(text, chapter)));
    // The words of a shader's or a twin's own fields are held by the files of the tree, see below.
    const ofTheTree = ["params", "Params", "grid", "flops", "bytes", "kernels", "defineKernel"];
    expect(
      steps.flatMap((step) => strangeNames(step.text)).filter((name) => !ofTheTree.includes(name)),
    ).toEqual([]);
  });

  it("starts the runs it shows with flags and settings that exist", () => {
    const words = npmCommands(text).flatMap((command) => command.words);
    const keys = words.flatMap((word) => /^([\w.]+)=/.exec(word)?.[1] ?? []);
    expect(keys.length).toBeGreaterThan(1);
    const known = describeFields().map(({ path }) => path);
    expect(keys.filter((key) => !known.includes(key))).toEqual([]);
  });
});

describe("a kernel", () => {
  const shaders = filesBelow("shaders", /\.wgsl$/);
  const tests = filesBelow("test/kernels", /\.ts$/);
  const callers = source.filter((path) => !/^src\/(kernels|ui)\//.test(path));
  const imported = (paths: string[]) => new Set(paths.flatMap((path) => importsOf(path)));
  const [used, timed] = [
    imported(callers.filter((path) => !path.startsWith("src/bench/"))),
    imported(callers.filter((path) => path.startsWith("src/bench/"))),
  ];
  const twinOf = (shader: string) => shader.replace(/^shaders/, "src/kernels").replace(/wgsl$/, "ts");

  it.each(shaders)("%s has a twin of its label, a test that runs it, and a case that times it", (shader) => {
    const twin = twinOf(shader);
    const code = readText(twin);
    expect(code).toMatch(/\bdefineKernel\(/);
    expect(code).toContain(`label: "${stemOf(shader)}"`);
    // A twin for f16 takes what it does not change from the twin for f32.
    const inherits = /\.\.\.\w+\.spec,/.test(code);
    for (const field of ["grid", "flops", "bytes"])
      expect(inherits || new RegExp(`\\b${field}\\b`).test(code), field).toBe(true);
    const own = tests.filter((path) => stemOf(path) === stemOf(shader));
    expect(own, "has a test file of its name").toHaveLength(1);
    const read = importsOf(own[0]);
    expect(read).toContain(twin);
    expect([...read, ...imported(read)], "runs on the GPU").toContain("test/gpu_harness.ts");
    expect(timed.has(twin), "is timed in src/bench").toBe(true);
  });

  it("is used; the conversions alone wait for f16 and bf16 on the GPU", () => {
    const unused = shaders.filter((shader) => !used.has(twinOf(shader)));
    expect(unused.filter((shader) => !/^shaders\/(convert|probe)\//.test(shader))).toEqual([
      "shaders/sampling/philox.wgsl",
    ]);
  });

  it("was seen to fail when broken: every kernel's own test says how", () => {
    const own = tests.filter((path) => shaders.some((shader) => stemOf(shader) === stemOf(path)));
    expect(own.length).toBeGreaterThan(30);
    expect(own.filter((path) => !/broken|wrong/i.test(readText(path)))).toEqual([]);
  });
});

describe("a loss", () => {
  it("is a file of its name, in the registry and among the choices of trainer.loss", () => {
    const names = Object.keys(POLICY_LOSSES).sort();
    expect(exportsOfType("src/trainer/losses", "PolicyLoss")).toEqual(names);
    for (const [name, loss] of Object.entries(POLICY_LOSSES)) expect(loss.name).toBe(name);
    const field = describeFields().find(({ path }) => path === "trainer.loss");
    expect([...(field?.choices ?? [])].sort()).toEqual(names);
  });

  it("states its paper above and is held to numbers from outside", () => {
    const published = readText("test/trainer/published_losses.ts") + readText("test/trainer/losses.test.ts");
    for (const [name, loss] of Object.entries(POLICY_LOSSES)) {
      const code = readText(`src/trainer/losses/${name}.ts`);
      expect(loss.source).toMatch(/^arXiv:\d{4}\.\d{5}$/);
      expect(code.slice(0, code.indexOf("*/"))).toMatch(/arXiv|paper/);
      expect(published).toContain(`"${name}"`);
    }
  });
});

describe("a task", () => {
  it("is a file of its name whose function stands in TASKS", () => {
    const making = /^export function (\w+)\(given: unknown, seed: number\): Task/m;
    const found = filesBelow("src/tasks", /\.ts$/).flatMap((path) => {
      const name = making.exec(readText(path))?.[1];
      return name === undefined ? [] : [`${stemOf(path)} ${name}`];
    });
    expect(found.sort()).toEqual(TASKS.map(({ name, make }) => `${name} ${make.name}`).sort());
  });

  it.each(TASKS.map(({ name }) => name))("%s names rewards that exist, and can be distilled", (name) => {
    const task = makeTask(name, {}, 0);
    expect(task.rewards.filter((reward) => !(reward in BUILT_IN_REWARDS))).toEqual([]);
    expect(task.rewards.length).toBeGreaterThan(0);
    expect(task.vocabulary?.().characters).toBeTruthy();
    expect(task.teacher?.().trace(task.sample(0), 0).completion).toBeTruthy();
  });

  it("has a recipe only under the name of a recipe that describes itself", () => {
    for (const path of filesBelow("public/recipes", /\.json$/)) {
      const recipe = JSON.parse(readText(path)) as {
        name: string;
        description: string;
        task?: { name: string };
      };
      expect(recipe.name).toBe(stemOf(path));
      expect(recipe.description.length).toBeGreaterThan(40);
      if (recipe.task) expect(TASKS.map(({ name }) => name)).toContain(recipe.task.name);
    }
  });
});

describe("a reward", () => {
  it("is a file of its name, stands in the table and is tested by name", () => {
    const names = Object.keys(BUILT_IN_REWARDS).sort();
    expect(exportsOfType("src/verifier/rewards", "BuiltInReward")).toEqual(names);
    const tests = filesBelow("test/verifier", /\.test\.ts$/)
      .map(readText)
      .join("\n");
    expect(names.filter((name) => !new RegExp(`\\b${name}\\b`).test(tests))).toEqual([]);
  });

  it("of a user's own runs as the example stands on the page", async () => {
    const [example] = fencedBlocks(section(text, "A reward"), "js");
    const names = await loadRewards(`data:text/javascript,${encodeURIComponent(example)}`);
    expect(names).toEqual(["brevity"]);
    const result = await callReward("brevity", {
      prompt: "2+3=",
      completions: ["<think>?</think>\\boxed{5}", "<think>2+3=5</think>\\boxed{5}", "\\boxed{6}"],
      completionIds: [4, 8, 2].map((length) => new Uint32Array(length)),
      columns: { answer: "5" },
      trainerState: { global_step: 0 },
    });
    expect(result.values).toEqual([1 / 4, 1 / 8, 0]);
    expect(result.metrics).toEqual([["right", 2]]);
    const shown = npmCommands(text).flatMap(({ words }) => words);
    expect(shown).toContain('verifier.rewards=["magistral","brevity"]');
  });
});
