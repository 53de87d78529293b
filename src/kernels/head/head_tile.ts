import code from "../../../shaders/head/head_tile.wgsl" with { type: "text" };
import { defineKernel, spread } from "../../gpu/kernel.ts";

/** Folds a tile of the vocabulary into each row's running maximum, sums and target logit (arXiv:1805.02867). */
export const headTile = defineKernel({
  label: "head_tile",
  code,
  params: { rows: "u32", tile_width: "u32", tile_start: "u32", first: "u32", inverse_temperature: "f32" },
  bindings: {
    logits: { access: "read", length: (d) => d.rows * d.tile_width },
    targets: { access: "read", length: (d) => d.rows },
    state: { access: "read_write", length: (d) => 4 * d.rows },
  },
  overrides: { WORKGROUP_SIZE: 32, COLUMNS_PER_LANE: 32 },
  grid: (d, overrides) => [spread(d.rows / rowsPerGroup(d.tile_width, overrides)), 1, 1],
  flops: (d) => 8 * d.rows * d.tile_width,
  bytes: (d) => 4 * (d.rows * d.tile_width + 9 * d.rows),
});

/** As the shader divides its lanes: the smallest power of two that leaves each at most COLUMNS_PER_LANE columns. */
function rowsPerGroup(
  tileWidth: number,
  { WORKGROUP_SIZE, COLUMNS_PER_LANE }: Record<string, number>,
): number {
  let team = 1;
  while (team < WORKGROUP_SIZE && team * COLUMNS_PER_LANE < tileWidth) team *= 2;
  return WORKGROUP_SIZE / team;
}
