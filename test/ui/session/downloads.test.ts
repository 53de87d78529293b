import { expect, it } from "vitest";
import { oneWay, partOf } from "../../../src/ui/session/downloads.ts";

it("oneWay() never takes bytes back while files are checked one after the other", () => {
  const told: number[] = [];
  const tell = oneWay(({ doneBytes }) => told.push(doneBytes));
  for (const [phase, doneBytes] of [
    ["download", 80],
    ["verify", 40],
    ["verify", 80],
    ["download", 80],
    ["download", 100],
  ] as const)
    tell({ phase, doneBytes, totalBytes: 100 });
  expect(told).toEqual([80, 80, 80, 80, 100]);
});

it("partOf() tells of a part as of the whole, with what came before it", () => {
  const told: unknown[] = [];
  const tell = partOf((progress) => told.push(progress), [20, 70, 10], 1);
  tell({ phase: "download", doneBytes: 0, totalBytes: 70 });
  tell({ phase: "verify", doneBytes: 70, totalBytes: 70 });
  expect(told).toEqual([
    { phase: "download", doneBytes: 20, totalBytes: 100 },
    { phase: "verify", doneBytes: 90, totalBytes: 100 },
  ]);
});
