import { expect, test } from "vitest";
import { exportName, ndjsonParts } from "../../../../src/ui/views/rollouts/export_rows.ts";
import { run } from "./rows.ts";

test("writes a line a row, all of them and in order, with pauses between slices", async () => {
  const rows = run(5, 5);
  let now = 0;
  let pauses = 0;
  const parts = await ndjsonParts(
    rows,
    async () => {
      pauses++;
    },
    () => ++now,
  );
  const lines = parts.join("").split("\n");
  expect(lines.pop()).toBe("");
  expect(lines.map((line) => JSON.parse(line))).toEqual(rows);
  expect(pauses).toBeGreaterThan(5);
});

test("writes nothing of nothing", async () => {
  expect(await ndjsonParts([], async () => undefined)).toEqual([]);
});

test("names the file after the run, without what a file system minds", () => {
  expect(exportName("a run/of: mine", 12)).toBe("a-run-of-mine-rollouts-12.ndjson");
  expect(exportName("", 1)).toBe("run-rollouts-1.ndjson");
});
