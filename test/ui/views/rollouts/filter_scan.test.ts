import { expect, test } from "vitest";
import { FilterScan, shownGroups } from "../../../../src/ui/views/rollouts/filter_scan.ts";
import { RolloutIndex } from "../../../../src/ui/views/rollouts/group_index.ts";
import { NO_FILTER, type RowFilter } from "../../../../src/ui/views/rollouts/row_filter.ts";
import { row, run } from "./rows.ts";

const trainer = { before: (step: number) => step - 1 };
const EVER = Number.POSITIVE_INFINITY;

function scanOf(index: RolloutIndex, change: Partial<RowFilter>): FilterScan {
  return new FilterScan(index, { ...NO_FILTER, ...change }, { ranges: index.ranges, trainer });
}

test("keeps groups with a completion that passes, best first", () => {
  const index = new RolloutIndex();
  index.update([...run(2, 1), row({ step: 3, group: 9, id: 99, reward: 0 })]);
  const scan = scanOf(index, { minReward: 2 });
  expect(scan.advance(EVER, () => 0)).toBe(true);
  expect(scan.shown.map(({ rows }) => rows.map(({ id }) => id))).toEqual([
    [3, 2],
    [7, 6],
  ]);
  expect(scan.rows).toBe(4);
  expect(
    shownGroups(index.groups, { ...NO_FILTER, minReward: 2 }, { ranges: index.ranges, trainer }),
  ).toEqual(scan.shown);
});

test("stops when its time is spent and goes on from there", () => {
  const index = new RolloutIndex();
  index.update(run(10, 10));
  const scan = scanOf(index, {});
  let now = 0;
  let slices = 1;
  while (!scan.advance(now + 2, () => ++now)) {
    expect(scan.done).toBe(false);
    slices++;
  }
  expect(slices).toBeGreaterThan(2);
  expect(scan.done).toBe(true);
  expect(scan.rows).toBe(400);
});

test("looks only at what is new when rows arrive", () => {
  const rows = run(2, 2);
  const index = new RolloutIndex();
  index.update(rows);
  const scan = scanOf(index, {});
  scan.advance(EVER, () => 0);
  const [first] = scan.shown;
  rows.push(row({ step: 3, group: 50, id: 50 }));
  index.update(rows);
  expect(scan.done).toBe(false);
  scan.advance(EVER, () => 0);
  expect(scan.shown[0]).toBe(first);
  expect(scan.rows).toBe(17);
});

test("looks again at the last group when it has grown", () => {
  const rows = run(1, 2);
  const index = new RolloutIndex();
  index.update(rows);
  const scan = scanOf(index, { minReward: 3 });
  scan.advance(EVER, () => 0);
  rows.push(row({ step: 1, group: 1, id: 60, reward: 5 }));
  index.update(rows);
  expect(scan.done).toBe(false);
  scan.advance(EVER, () => 0);
  expect(scan.shown.map(({ rows: shown }) => shown.map(({ id }) => id))).toEqual([[3], [60, 7]]);
  expect(scan.rows).toBe(3);
});

test("begins anew when rows were trimmed", () => {
  const rows = run(3, 1);
  const index = new RolloutIndex();
  index.update(rows);
  const scan = scanOf(index, {});
  scan.advance(EVER, () => 0);
  index.update(rows.slice(4));
  scan.advance(EVER, () => 0);
  expect(scan.shown.map(({ group }) => group.step)).toEqual([2, 3]);
  expect(scan.rows).toBe(8);
});

test("disagreement is judged anew when a range widens; other filters are not", () => {
  const rows = [row({ id: 1, rewards: { a: 1, b: 1 } }), row({ id: 2, rewards: { a: 0, b: 1 } })];
  const index = new RolloutIndex();
  index.update(rows);
  const scan = scanOf(index, { disagreement: true });
  const other = scanOf(index, { minReward: 0 });
  scan.advance(EVER, () => 0);
  other.advance(EVER, () => 0);
  expect(scan.rows).toBe(0);
  rows.push(row({ id: 3, step: 2, group: 1, rewards: { a: 0, b: 0 } }));
  index.update(rows);
  const [before] = other.shown;
  scan.advance(EVER, () => 0);
  other.advance(EVER, () => 0);
  expect(scan.shown.map(({ rows: shown }) => shown.map(({ id }) => id))).toEqual([[2]]);
  expect(other.shown[0]).toBe(before);
});
