import { spread } from "../gpu/kernel.ts";

/** Elements that a lane of a row kernel takes before there are more workgroups. */
const ELEMENTS_PER_LANE = 8;

/**
 * The grid of a kernel that goes along rows: columns and rows are its two axes, so that no lane divides. A workgroup
 * takes a part of a very wide row, or several narrow ones, because each workgroup costs a software adapter about as
 * much as its work.
 */
export function rowGrid(rows: number, width: number, lanes: number): readonly [number, number, number] {
  const elements = ELEMENTS_PER_LANE * lanes;
  const rowsPerGroup = Math.max(1, Math.floor(elements / width));
  return [spread(width / elements), spread(rows / rowsPerGroup), 1];
}
