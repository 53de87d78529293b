import { expect, test } from "vitest";
import { RolloutIndex } from "../../../../src/ui/views/rollouts/group_index.ts";
import { stepBars } from "../../../../src/ui/views/rollouts/step_bars.ts";
import { row, run } from "./rows.ts";

function indexOf(rows: Parameters<RolloutIndex["update"]>[0]): RolloutIndex {
  const index = new RolloutIndex();
  index.update(rows);
  return index;
}

const barsIn = (path: string) => path.split("M").length - 1;

test("draws a bar a step, from edge to edge", () => {
  const { path } = stepBars(indexOf(run(3, 1)));
  expect(barsIn(path)).toBe(3);
  const middles = [...path.matchAll(/M(-?[\d.]+) [\d.]+V[-\d.]+h([\d.]+)/g)].map(
    ([, left, width]) => Number(left) + Number(width) / 2,
  );
  expect(middles.map(Math.round)).toEqual([0, 50, 100]);
});

test("averages steps together where there are too many to tell apart", () => {
  expect(barsIn(stepBars(indexOf(run(1000, 1))).path)).toBeLessThanOrEqual(160);
});

test("hangs negative rewards from zero and keeps zero visible", () => {
  const index = indexOf([
    row({ id: 1, step: 1, reward: 1 }),
    row({ id: 2, step: 2, group: 1, reward: -1 }),
    row({ id: 3, step: 3, group: 2, reward: 0 }),
  ]);
  const { path, barAt } = stepBars(index);
  const [up, down, flat] = path.split("M").slice(1);
  expect(up).toContain("V0h");
  expect(down).toContain(" 50V100h");
  expect(flat).toContain(" 50V46h");
  expect(barAt(0, null)).toBe("");
});

test("leaves out steps without a reward", () => {
  const { path } = stepBars(indexOf([row({ id: 1, reward: null }), row({ id: 2, step: 2, group: 1 })]));
  expect(barsIn(path)).toBe(1);
});
