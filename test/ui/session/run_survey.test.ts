import { readFileSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { parseRecipe } from "../../../src/config/parse.ts";
import { downloadNeed, surveyRun } from "../../../src/ui/session/run_survey.ts";
import { memoryFiles } from "../../runs/memory_files.ts";
import { BASE, serveSite } from "./site.ts";

const builtIn = new URL("../../../public/models/chain-sum/", import.meta.url);
const names = ["config.json", "tokenizer.json", "tokenizer_config.json", "generation_config.json"];
const model = Object.fromEntries(
  names.map((name) => [`models/chain-sum/${name}`, readFileSync(new URL(name, builtIn), "utf8")]),
);
const ELSEWHERE = "https://other.example/sums.jsonl";
/** Problems whose longest prompt has this many characters, each a token of the built-in tokenizer. */
const sums = (longest: number) =>
  ["1 + 1 =", "1".repeat(longest)].map((prompt) => `${JSON.stringify({ prompt, answer: "2" })}\n`).join("");

const places = { base: BASE, open: memoryFiles().open };
const recipe = (data?: Record<string, unknown>) =>
  parseRecipe({
    model: "builtin:chain-sum",
    generator: { maxTokens: 24 },
    evaluation: { maxTokens: 30, problems: 1 },
    ...(data && { data: { heldOutShare: 0.5, ...data } }),
  });

beforeEach(() => {
  serveSite({ ...model, "sums.jsonl": sums(77), [ELSEWHERE]: sums(77) });
});
afterEach(() => vi.unstubAllGlobals());

describe("surveyRun()", () => {
  it("reads problems of this origin and plans for their longest prompt", async () => {
    const { maxSequence, assumedPrompt } = await surveyRun(recipe({ file: "sums.jsonl" }), places);
    expect(assumedPrompt).toBeNull();
    expect(maxSequence).toBeGreaterThanOrEqual(77 + 30);
    expect(maxSequence).toBeLessThan(77 + 30 + 12);
    serveSite({ ...model, "sums.jsonl": sums(40) });
    expect((await surveyRun(recipe({ file: "sums.jsonl" }), places)).maxSequence).toBeLessThan(maxSequence);
  });

  it("leaves problems of another origin to the run, and says what it assumed", async () => {
    const found = await surveyRun(recipe({ file: ELSEWHERE }), places);
    expect(found).toMatchObject({ assumedPrompt: 30, maxSequence: 60 });
  });

  it("knows the prompts of a task", async () => {
    const { assumedPrompt, maxSequence } = await surveyRun(recipe(), places);
    expect(assumedPrompt).toBeNull();
    expect(maxSequence).toBeGreaterThan(30);
  });

  it("tells before the start of a file that is not there", async () => {
    await expect(surveyRun(recipe({ file: "none.jsonl" }), places)).rejects.toMatchObject({
      code: "data/unreadable",
    });
  });
});

describe("downloadNeed()", () => {
  it("asks this origin for sizes, and guesses the weights' where it does not tell", async () => {
    const survey = await surveyRun(recipe(), places);
    const need = await downloadNeed(recipe(), survey, places);
    expect(need).toMatchObject({ parts: [], guessed: true, adapters: null });
    expect(need.siteBytes).toBeGreaterThan(400_000);
    expect(need.elsewhere).toBeUndefined();
  });

  it("tells of other sites that the run will ask", async () => {
    const asking = recipe({ file: ELSEWHERE });
    const { elsewhere } = await downloadNeed(asking, await surveyRun(asking, places), places);
    expect(elsewhere).toEqual({ problems: new URL(ELSEWHERE).host });
  });
});
