import code from "../../../shaders/sampling/decode_advance.wgsl" with { type: "text" };
import { defineKernel, spread } from "../../gpu/kernel.ts";

/** Tokens that can end a completion, at most. */
const MAX_END_TOKENS = 8;

/**
 * Takes what `sample` drew: appends (token, log-probability, entropy, finish reason) to row `step` of the ring
 * (steps, B, 4) and moves each row's state on, or ends it. Finish reasons: 0 running, 1 stop, 2 length, 3 broken logits.
 * The ring is checked for `step` alone. `endTokens` gives the parameters for a model's end tokens.
 */
export const decodeAdvance = defineKernel({
  label: "decode_advance",
  code,
  params: {
    rows: "u32",
    step: "u32",
    capacity: "u32",
    end_count: "u32",
    end_0: "u32",
    end_1: "u32",
    end_2: "u32",
    end_3: "u32",
    end_4: "u32",
    end_5: "u32",
    end_6: "u32",
    end_7: "u32",
  },
  bindings: {
    sampled: { access: "read", length: (d) => 4 * d.rows },
    token: { access: "read_write", length: (d) => d.rows },
    position: { access: "read_write", length: (d) => d.rows },
    entries: { access: "read_write", length: (d) => 3 * d.rows },
    draws: { access: "read_write", length: (d) => 4 * d.rows },
    progress: { access: "read_write", length: (d) => 2 * d.rows },
    ring: { access: "read_write", length: (d) => 4 * d.rows * (d.step + 1) },
  },
  overrides: { WORKGROUP_SIZE: 64 },
  grid: (d, { WORKGROUP_SIZE }) => [spread(d.rows / WORKGROUP_SIZE), 1, 1],
  flops: () => 0,
  bytes: (d) => 4 * d.rows * 26,
});

/** The `end_…` parameters of `decodeAdvance`. @throws RangeError for more than eight */
export function endTokens(ids: readonly number[]) {
  if (ids.length > MAX_END_TOKENS) {
    throw new RangeError(
      `Cannot watch for ${ids.length} end tokens: at most ${MAX_END_TOKENS} fit, shorten the list in generation_config.json`,
    );
  }
  const [end_0, end_1, end_2, end_3, end_4, end_5, end_6, end_7] = [...ids, ...Array(MAX_END_TOKENS).fill(0)];
  return { end_count: ids.length, end_0, end_1, end_2, end_3, end_4, end_5, end_6, end_7 };
}
