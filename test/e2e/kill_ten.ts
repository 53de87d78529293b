/**
 * Kills a run ten times at random moments, resumes it each time and compares its end with a run left alone:
 * `npx deno run -A --no-lock --node-modules-dir=manual test/e2e/kill_ten.ts [sync|async] [seed] [kills] [steps]`.
 * Too slow for the suite; kills.gpu.test.ts does the same with fewer.
 */
import process from "node:process";
import { freshFolder, removeFolders } from "./command.ts";
import { checkRows, finalWeights, killAndResume, leftAlone } from "./kills.ts";

const [mode = "sync", seed = "1", kills = "10", steps = "16"] = process.argv.slice(2);
const folder = await freshFolder();
const options = { mode: mode === "async" ? ("async" as const) : ("sync" as const), steps: Number(steps) };
try {
  const whole = await leftAlone(folder, options.mode, options.steps);
  const { run, lives } = await killAndResume({
    ...options,
    folder,
    kills: Number(kills),
    seed: Number(seed),
    withinMs: 6000,
    note: console.log,
  });
  checkRows(run, options.steps, 16);
  const same = finalWeights(run, options.steps).equals(finalWeights(whole, options.steps));
  console.log(`${lives.length - 1} kills, every row once, weights ${same ? "the same" : "differ"}`);
  if (options.mode === "sync" && !same) process.exitCode = 1;
} finally {
  await removeFolders();
}
