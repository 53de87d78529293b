import { existsSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { hasModel } from "../loop/tiny.ts";
import { command, freshFolder, removeFolders, start, tinyTrain } from "./command.ts";
import { settledCheckpoints } from "./kills.ts";

const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
afterAll(removeFolders);

/** The last of 200 steps that a run told of, which is also the last that it saved. */
function savedAt(run: string, stderr: string): number {
  const reached = Number([...stderr.matchAll(/^step +(\d+)\/200/gm)].at(-1)?.[1]);
  expect(Math.max(...settledCheckpoints(run))).toBe(reached);
  return reached;
}

describe.skipIf(!hasModel)("Ctrl-C", () => {
  it("once finishes the step and saves it, and the run can go on", async () => {
    const run = join(await freshFolder(), "run");
    const process = start(tinyTrain(run, "--steps", "200"));
    await process.shows("step   2/200");
    const second = await command(["train", "--resume", run]);
    expect(second).toMatchObject({ code: 1, stderr: expect.stringContaining("[runs/in-use]") });
    process.send("SIGINT");
    const { code, stderr } = await process.ended;
    expect(code).toBe(130);
    expect(stderr).toContain("press Ctrl-C again");
    expect(stderr).toContain(`--resume "${run}" goes on`);
    const reached = savedAt(run, stderr);
    expect(existsSync(join(run, "summary.json"))).toBe(true);
    expect(existsSync(join(run, "run.lock"))).toBe(false);
    for (const words of [
      ["--steps", "1"],
      ["--set", "seed=9"],
    ]) {
      const other = await command(["train", "--resume", run, ...words]);
      expect(other).toMatchObject({ code: 2, stderr: expect.stringContaining("[cli/resume-conflict]") });
    }

    const more = reached + 1;
    const resumed = await command(["train", "--resume", run, "--steps", String(more), "--json"]);
    expect(resumed.stderr).toContain(`Going on from checkpoints/step-${String(reached).padStart(6, "0")}`);
    expect(resumed.code).toBe(0);
    const rows = resumed.stdout.trim().split("\n");
    expect(JSON.parse(rows.at(-1)!)).toMatchObject({ event: "summary", steps: more, samples: 16 * more });
  });

  it("is what a terminal that is closed asks for as well", async () => {
    const run = join(await freshFolder(), "run");
    const process = start(tinyTrain(run, "--steps", "200"));
    await process.shows("step   1/200");
    process.send("SIGHUP");
    const { code, stderr } = await process.ended;
    expect(code).toBe(130);
    expect(savedAt(run, stderr)).toBeLessThan(200);
  });

  it("is what a reader that goes away asks for as well (`| head -1`)", async () => {
    const run = join(await freshFolder(), "run");
    const process = start(tinyTrain(run, "--steps", "200", "--json"));
    await process.shows("step   1/200");
    process.stopReading();
    const { code, stderr } = await process.ended;
    expect(code).toBe(0);
    expect(savedAt(run, stderr)).toBeLessThan(200);
  });

  it("does not wait for an evaluation", async () => {
    const run = join(await freshFolder(), "run");
    const words = tinyTrain(run, "--set", "evaluation.problems=800", "--set", "evaluation.samples=8");
    const process = start(words);
    await process.shows("Evaluating on 800");
    const from = performance.now();
    process.send("SIGINT");
    const { code, stderr } = await process.ended;
    expect(code).toBe(130);
    // All of it takes half a minute or more.
    expect(performance.now() - from).toBeLessThan(8000);
    expect(stderr).not.toContain("before:");
    const resumed = await command(
      ["train", "--resume", run, "--steps", "1", "--set", "evaluation.problems=4"].concat("--json"),
    );
    expect(resumed.code).toBe(0);
    expect(JSON.parse(resumed.stdout.trim().split("\n").at(-1)!)).toMatchObject({
      event: "summary",
      steps: 1,
      eval: { before: { "pass@1": expect.any(Number) }, after: { "pass@1": expect.any(Number) } },
    });
  });

  it("twice quits at once, in the middle of a step", async () => {
    const run = join(await freshFolder(), "run");
    const process = start(
      tinyTrain(run, "--set", "trainer.batchSize=384", "--set", "generator.concurrency=128"),
    );
    await process.shows("step 1/");
    await wait(500);
    process.send("SIGINT");
    await process.shows("press Ctrl-C again");
    await wait(500);
    const from = performance.now();
    process.send("SIGINT");
    const { code, stderr } = await process.ended;
    expect(code).toBe(130);
    expect(performance.now() - from).toBeLessThan(2000);
    expect(stderr).not.toContain("step 2/");
    expect(settledCheckpoints(run)).toEqual([]);
  });
});

describe.skipIf(!existsSync("/dev/full"))("a full disk behind stdout", () => {
  it("makes a command fail that could not give its results", async () => {
    const { code, stderr } = await command(["train", "--help"], { stdoutFile: "/dev/full" });
    expect(stderr).toContain("[cli/output-lost]");
    expect(code).toBe(1);
  });
});
