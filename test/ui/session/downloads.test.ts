import { expect, it } from "vitest";
import { oneWay } from "../../../src/ui/session/downloads.ts";

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
