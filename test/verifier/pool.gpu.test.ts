import { afterEach, describe, expect, it } from "vitest";
import type { Problem, RewardedGroup, Rollout } from "../../src/rollout.ts";
import type { GroupToScore, VerifierOptions } from "../../src/verifier/api.ts";
import { VerifierPool, type VerifierPoolOptions } from "../../src/verifier/pool.ts";
import { Sandbox } from "../../src/verifier/sandbox.ts";
import { createScorer, type Scorer } from "../../src/verifier/score.ts";

let nextId = 0;
function group(completions: string[], part: Partial<Problem> = {}): GroupToScore {
  const problem: Problem = { id: "p", taskId: "t", prompt: "?", answer: "5", columns: {}, ...part };
  const groupId = nextId++;
  const rollouts = completions.map(
    (text, k): Rollout => ({
      id: groupId * 100 + k,
      groupId,
      problemId: "p",
      taskId: "t",
      promptTokens: Uint32Array.of(1, 2, 3),
      completionTokens: Uint32Array.from({ length: text.length }, () => k),
      generatorLogprobs: Float32Array.from({ length: text.length }, () => -k),
      generatorEntropies: new Float32Array(text.length),
      policyVersions: new Int32Array(text.length),
      temperature: 1,
      finishReason: "stop",
    }),
  );
  return { problem, rollouts, completions };
}

const state = { global_step: 3 };
const options = (part: Partial<VerifierOptions> = {}): VerifierOptions => ({
  rewards: ["accuracy"],
  lengthMax: 100,
  lengthCache: 20,
  ...part,
});
const userModule = (name: string) => new URL(`./fixtures/${name}.ts`, import.meta.url).href;
const values = ({ rollouts }: RewardedGroup) => rollouts.map((rollout) => rollout.reward);
const reasons = ({ rollouts }: RewardedGroup) => rollouts.map((rollout) => rollout.verdicts[0].reason);
const mortal = () => new Worker(new URL("./fixtures/mortal_worker.ts", import.meta.url), { type: "module" });

let pool: VerifierPool | undefined;
let scorer: Scorer | undefined;
const open = async (part: Partial<VerifierPoolOptions> = {}) => {
  pool = await VerifierPool.create({ workers: 1, options: options(), ...part });
  return pool;
};
const user = async (rewards: string[], part: Partial<VerifierOptions> = {}) => {
  scorer = await createScorer(options({ rewards, rewardModule: userModule("rewards"), ...part }));
  return scorer;
};
afterEach(() => {
  pool?.dispose();
  scorer?.dispose();
  pool = scorer = undefined;
});
/** What a rejected promise told, as plain data. */
const caught = (promise: Promise<unknown>) =>
  promise.then(
    () => ({ name: "", code: "nothing was thrown", message: "" }),
    ({ name, code, message, kind }) => ({ name, code, message, kind }),
  );

describe("VerifierPool", () => {
  it("scores groups side by side and keeps every rollout's record", async () => {
    const verifiers = await open({ workers: 2 });
    const groups = Array.from({ length: 6 }, (_, k) => group(["5", `${k}`, "five"]));
    const scored = await Promise.all(groups.map((g) => verifiers.score(g, state)));
    scored.forEach((one, k) => {
      expect(one.groupId).toBe(groups[k].rollouts[0].groupId);
      expect(values(one)).toEqual([1, k === 5 ? 1 : 0, 0]);
      expect(one.rollouts[1].promptTokens).toBe(groups[k].rollouts[1].promptTokens);
      expect(one.rollouts[1].generatorLogprobs).toBe(groups[k].rollouts[1].generatorLogprobs);
      expect(one.rollouts[1].completion).toBe(`${k}`);
    });
    expect(verifiers.counters).toMatchObject({ scored: 18, timeouts: 0, exceptions: 0, restarts: 0 });
    expect(verifiers.takeCounters().scored).toBe(18);
    expect(verifiers.takeCounters().scored).toBe(0);
    expect(verifiers.pending).toBe(0);
    await verifiers.room();
  });

  it("replaces a worker that hangs; only the completion that hung it is null", async () => {
    const verifiers = await open({ spawn: mortal, deadlineMs: 1000 });
    const scored = await verifiers.score(group(["5", "hang", "6"]), state);
    expect(values(scored)).toEqual([1, null, 0]);
    expect(reasons(scored)[1]).toContain("worker/deadline");
    expect(verifiers.counters).toMatchObject({ timeouts: 1, exceptions: 0, restarts: 2 });
    expect(values(await verifiers.score(group(["5"]), state))).toEqual([1]);
  });

  it("replaces a worker that dies, and gives a group up that kills one after another", async () => {
    const verifiers = await open({ spawn: mortal });
    expect(values(await verifiers.score(group(["5", "die"]), state))).toEqual([1, null]);
    const deadly = await verifiers.score(group(["die", "die", "die", "5"]), state);
    expect(values(deadly)).toEqual([null, null, null, null]);
    expect(reasons(deadly)[0]).toContain("worker/died: ");
    expect(verifiers.counters.exceptions).toBe(5);
    expect(values(await verifiers.score(group(["5"]), state))).toEqual([1]);
  });

  it("refuses wrong settings before anything is scored", async () => {
    const make = (part: Partial<VerifierOptions>) =>
      caught(VerifierPool.create({ workers: 2, options: options(part) }));
    expect(await make({ rewards: ["acuracy"] })).toMatchObject({
      name: "ConfigError",
      code: "verifier/unknown-reward",
      message: expect.stringContaining("accuracy"),
    });
    expect(await make({ weights: [1, 2] })).toMatchObject({ code: "verifier/weights" });
    expect(await make({ rewards: [] })).toMatchObject({ code: "verifier/no-reward" });
    expect(await make({ rewardModule: "no/such/file.ts" })).toMatchObject({
      name: "ConfigError",
      code: "verifier/reward-module",
      message: expect.stringContaining("no/such/file.ts"),
    });
    expect(await make({ rewardModule: userModule("broken_module") })).toMatchObject({
      code: "verifier/reward-module",
      message: expect.stringContaining("a missing dependency"),
    });
    expect(await make({ rewardModule: userModule("constants_only") })).toMatchObject({
      code: "verifier/reward-not-function",
    });
    expect(await make({ rewards: ["notAFunction"], rewardModule: userModule("rewards") })).toMatchObject({
      code: "verifier/unknown-reward",
    });
  });

  it("rejects beyond its capacity and once disposed of", async () => {
    const verifiers = await open({ capacity: 1 });
    const first = verifiers.score(group(["5"]), state);
    const second = verifiers.score(group(["5"]), state);
    expect(await caught(verifiers.score(group(["5"]), state))).toMatchObject({ code: "verifier/overrun" });
    await Promise.all([first, second]);
    const last = caught(verifiers.score(group(["5"]), state));
    verifiers.dispose();
    expect(await last).toMatchObject({ code: "verifier/disposed" });
    expect(await caught(verifiers.score(group(["5"]), state))).toMatchObject({ code: "verifier/disposed" });
  });

  it("judges languages and integrals inside its workers", async () => {
    const verifiers = await open({
      options: options({ rewards: ["accuracy", "language"], weights: [1, 1] }),
    });
    const say = "The value of the integral that you asked me for is";
    const completion = `<think>${say} one half, of course.</think>${say} $\\int_0^1 x dx$`;
    const scored = await verifiers.score(
      group([completion], { prompt: `${say} what?`, answer: "\\frac12" }),
      state,
    );
    expect(scored.rollouts[0].rewards).toEqual({ accuracy: 1, language: 1 });
    expect(scored.rollouts[0].verdicts[0].reason).toBe("equal by computer algebra");
  });

  it("passes a data set's fault on to the caller", async () => {
    const verifiers = await open({
      options: options({ rewards: ["matches"], rewardModule: userModule("rewards") }),
    });
    const error = await caught(verifiers.score(group(["5"], { columns: { prompts: 1 } }), state));
    expect(error).toMatchObject({ name: "DataError", code: "verifier/reserved-column" });
    expect(values(await verifiers.score(group(["5", "6"]), state))).toEqual([1, 0]);
  });
});

describe("users' rewards", () => {
  it("gets columns, ids, state and messages in TRL's shape", async () => {
    const own = await user(["matches", "step", "tokenCounts", "accuracy"], { weights: [1, 10, 0, 1] });
    const asked = group(["5", "55"], { columns: { level: 2, prompt: "dropped" } });
    const scored = await own.scoreGroup(asked, state);
    expect(scored.rollouts.map((rollout) => rollout.rewards)).toEqual([
      { matches: 1, step: 5, tokenCounts: 1, accuracy: 1 },
      { matches: 0, step: 5, tokenCounts: 2, accuracy: 0 },
    ]);
    expect(values(scored)).toEqual([52, 50]);
    expect(reasons(scored)).toEqual(["letters: 1", "letters: 2"]);
    expect(own.takeCounters().userMetrics).toEqual({ mean_length: 1.5 });
    const chat = await own.scoreGroup(group(["5"], { prompt: [{ role: "user", content: "2+3?" }] }), state);
    expect(chat.rollouts[0].rewards.matches).toBe(1);
  });

  it("uses every export where none is named", async () => {
    const own = await user(["format"]);
    expect(own.rewardNames).toEqual([
      "format",
      "hangsOnBad",
      "matches",
      "neverSettles",
      "notAList",
      "notFinite",
      "step",
      "throwsOnBad",
      "tokenCounts",
      "wrongLength",
    ]);
  });

  it("null for the sample that throws, 1 for its neighbours", async () => {
    const own = await user(["throwsOnBad"]);
    const scored = await own.scoreGroup(group(["a", "bad", "b"]), state);
    expect(values(scored)).toEqual([1, null, 1]);
    expect(reasons(scored)[1]).toBe("verifier/reward-threw: throwsOnBad threw RangeError: cannot grade this");
    expect(own.takeCounters()).toMatchObject({ exceptions: 1, timeouts: 0, restarts: 0, scored: 3 });
  });

  it("null for the sample that hangs, within the time limit", async () => {
    const own = await user(["hangsOnBad"], { timeoutMs: 200 });
    const scored = await own.scoreGroup(group(["a", "bad", "b"]), state);
    expect(values(scored)).toEqual([1, null, 1]);
    expect(reasons(scored)[1]).toContain("verifier/timeout");
    expect(own.takeCounters()).toMatchObject({ timeouts: 1, exceptions: 0, restarts: 2 });
    const never = await user(["neverSettles"], { timeoutMs: 100 });
    expect(values(await never.scoreGroup(group(["a", "b", "c", "d"]), state))).toEqual([
      null,
      null,
      null,
      null,
    ]);
    expect(never.takeCounters()).toMatchObject({ timeouts: 4, restarts: 3 });
  });

  it("null for what is no finite number, and for lists of another length", async () => {
    const own = await user(["notFinite", "wrongLength", "notAList"]);
    const scored = await own.scoreGroup(group(["nan", "fine", "inf", "text", "nothing"]), state);
    expect(scored.rollouts.map((rollout) => rollout.rewards.notFinite)).toEqual([null, 2, null, null, null]);
    expect(values(scored)).toEqual([null, 2, null, null, null]);
    const [first] = scored.rollouts;
    expect(first.verdicts.map((verdict) => verdict.reason)).toEqual([
      "verifier/reward-not-finite: notFinite returned NaN",
      "verifier/reward-length: wrongLength returned 1 values for 5 completions",
      "verifier/reward-length: notAList returned a number for 5 completions",
    ]);
    expect(own.takeCounters().exceptions).toBe(13);
  });
});

describe("computer algebra", () => {
  it("is killed at its limit, the sample is null, and the next question is answered", async () => {
    scorer = await createScorer(options({ timeoutMs: 1 }));
    const asked = () => group(["$\\int_0^1 \\frac{x^3+7}{x^2+2} dx$"], { answer: "\\frac12" });
    const scored = await scorer.scoreGroup(asked(), state);
    expect(values(scored)).toEqual([null]);
    expect(reasons(scored)[0]).toBe("verifier/timeout: no answer from the computer algebra within 1 ms");
    expect(scorer.takeCounters()).toMatchObject({ timeouts: 1, restarts: 1, scored: 1 });
    expect(values(await scorer.scoreGroup(asked(), state))).toEqual([null]);
    expect(scorer.takeCounters()).toMatchObject({ timeouts: 1, restarts: 1, scored: 1 });
  });

  it("is not even asked about towers of powers", async () => {
    scorer = await createScorer(options());
    const tower = "9^{9^{9^9}}";
    const from = performance.now();
    const scored = await scorer.scoreGroup(group([`$${tower}+1$`, `$${tower}$`], { answer: tower }), state);
    expect(values(scored)).toEqual([0, 1]);
    expect(reasons(scored)[0]).toBe("too heavy for computer algebra");
    expect(performance.now() - from).toBeLessThan(1000);
  });
});

describe("Sandbox", () => {
  it("kills what does not answer in time and goes on", async () => {
    const sandbox = new Sandbox("computer algebra", (api) => api.warmSymbolic());
    await sandbox.start();
    const from = performance.now();
    const tower = sandbox.run(500, (api) =>
      api.equalSymbolically("9^{9^{9^9}}", "9^{9^{9^9}}+\\int_0^1 x dx"),
    );
    const next = sandbox.run(5000, (api) => api.equalSymbolically("\\frac12", "\\int_0^1 x dx"));
    expect(await caught(tower)).toMatchObject({
      name: "RewardFailure",
      kind: "timeout",
      code: "verifier/timeout",
    });
    expect(performance.now() - from).toBeLessThan(2000);
    expect(await next).toBe(true);
    expect(sandbox.restarts).toBe(1);
    sandbox.dispose();
  });
});
