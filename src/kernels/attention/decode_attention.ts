import code from "../../../shaders/attention/decode_attention.wgsl" with { type: "text" };
import { defineKernel, spread } from "../../gpu/kernel.ts";
import { byForm, type StoredForm, storedCode, storedOverride, storedWords } from "../stored.ts";
import { checkGroups, checkQuads } from "./head_size.ts";

/**
 * One query per entry attends the cached positions 0 to its own, grouped-query, inactive entries get zeros; the same
 * `entries` and form of cache that `kvStoreStored` takes.
 */
export const decodeAttentionStored = byForm((form: StoredForm) =>
  defineKernel({
    label: "decode_attention",
    code: storedCode(code, form),
    params: {
      rows: "u32",
      source_rows: "u32",
      heads: "u32",
      kv_heads: "u32",
      head_dim: "u32",
      slots: "u32",
      capacity: "u32",
      scale: "f32",
    },
    bindings: {
      qkv: { access: "read", length: (d) => d.source_rows * (d.heads + 2 * d.kv_heads) * d.head_dim },
      entries: { access: "read", length: (d) => 3 * d.rows },
      cache_k: {
        access: "read",
        length: (d) => storedWords(form, d.slots * d.kv_heads * d.capacity * d.head_dim),
      },
      cache_v: {
        access: "read",
        length: (d) => storedWords(form, d.slots * d.kv_heads * d.capacity * d.head_dim),
      },
      out: { access: "read_write", length: (d) => d.rows * d.heads * d.head_dim },
    },
    // Fewer lanes suit software adapters, 64 long contexts on a GPU.
    overrides: { WORKGROUP_SIZE: 32, ...storedOverride(form) },
    grid: (d, { WORKGROUP_SIZE }) => {
      checkQuads("decode_attention", d.head_dim);
      checkGroups(d);
      if (d.head_dim / 4 > WORKGROUP_SIZE) {
        throw new RangeError(
          `Cannot run decode_attention for heads of ${d.head_dim} with ${WORKGROUP_SIZE} lanes: ${d.head_dim / 4} are needed`,
        );
      }
      return [d.heads, spread(d.rows), 1];
    },
    // How full the cache is is not known here: counted as if it were half full.
    flops: (d) => 2 * d.rows * d.heads * d.head_dim * d.capacity,
    bytes: (d) => 4 * d.rows * d.head_dim * (2 * d.heads + storedWords(form, d.kv_heads * d.capacity)),
  }),
);

/** Over a cache in f32. */
export const decodeAttention = decodeAttentionStored("f32");
