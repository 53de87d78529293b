import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, it } from "vitest";
import { runInProcess } from "./in_process.ts";

const cache = mkdtempSync(join(tmpdir(), "webgrpo-models-"));
const models = (...words: string[]) => runInProcess(["models", ...words], { env: { WEBGRPO_MODELS: cache } });
afterEach(() => rmSync(cache, { recursive: true, force: true }));

it("models lists a data set whose download was cut, and gives its space back", async () => {
  expect((await models()).stdout).not.toContain("data set");
  const folder = join(cache, "datasets", "a--sums", "0".repeat(40));
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "train.parquet.part"), new Uint8Array(3 * 2 ** 20));
  expect((await models()).stdout).toMatch(/datasets\/a\/sums +3\.0 MiB +cut: a run that needs it goes on/);
  const [row] = (await models("--json")).stdout.trim().split("\n");
  expect(JSON.parse(row)).toEqual({ event: "dataset", id: "a/sums", bytes: 3 * 2 ** 20, complete: false });
  expect((await models("--remove", "datasets/a/sums")).stdout).toContain("3.0 MiB given back");
  expect(existsSync(join(cache, "datasets", "a--sums"))).toBe(false);
});
