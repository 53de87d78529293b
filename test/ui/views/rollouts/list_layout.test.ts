import { describe, expect, test } from "vitest";
import { shownGroups } from "../../../../src/ui/views/rollouts/filter_scan.ts";
import { RolloutIndex } from "../../../../src/ui/views/rollouts/group_index.ts";
import { ListLayout } from "../../../../src/ui/views/rollouts/list_layout.ts";
import { NO_FILTER } from "../../../../src/ui/views/rollouts/row_filter.ts";
import { run } from "./rows.ts";

/** Groups of four: each is 40 + 4 × 30 = 160 high. */
function layoutOf(groups: number): ListLayout {
  const index = new RolloutIndex();
  index.update(run(1, groups));
  const context = { ranges: index.ranges, trainer: { before: () => 0 } };
  return new ListLayout(shownGroups(index.groups, NO_FILTER, context), { header: 40, row: 30 });
}

describe("ListLayout", () => {
  test("is as high as all headers and completions", () => {
    expect(layoutOf(5).height).toBe(800);
    expect(layoutOf(0).height).toBe(0);
  });

  test("gives what a window touches, and nothing else", () => {
    const items = layoutOf(5).within(205, 60);
    expect(items.map(({ row, top }) => [row?.reward ?? "header", top])).toEqual([
      ["header", 160],
      [3, 200],
      [2, 230],
      [1, 260],
    ]);
  });

  test("gives the next group's header when the window reaches it", () => {
    const items = layoutOf(5).within(300, 30);
    expect(items.map(({ row, top }) => [row?.reward ?? "header", top])).toEqual([
      ["header", 160],
      [0, 290],
      ["header", 320],
    ]);
  });

  test("draws about a screenful of a long list, at any place", () => {
    const layout = layoutOf(2500);
    for (const top of [0, 123_456, layout.height - 700]) {
      const items = layout.within(top, 700);
      expect(items.length).toBeGreaterThan(20);
      expect(items.length).toBeLessThan(32);
    }
  });

  test("knows each completion's place and extent; the first of a group comes with its header", () => {
    const layout = layoutOf(5);
    const { id } = layout.rows[6];
    expect(layout.placeOf(id)).toBe(6);
    expect(layout.placeOf(12345)).toBe(-1);
    expect(layout.extentOf(6)).toEqual({ top: 260, bottom: 290 });
    expect(layout.extentOf(4)).toEqual({ top: 160, bottom: 230 });
  });

  test("goes from group to group and stops at the ends", () => {
    const layout = layoutOf(3);
    expect(layout.neighbourGroup(5, 1)).toBe(8);
    expect(layout.neighbourGroup(5, -1)).toBe(0);
    expect(layout.neighbourGroup(11, 1)).toBe(8);
    expect(layout.neighbourGroup(1, -1)).toBe(0);
  });
});
