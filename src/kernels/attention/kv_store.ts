import code from "../../../shaders/attention/kv_store.wgsl" with { type: "text" };
import { defineKernel, spread } from "../../gpu/kernel.ts";
import { byForm, type StoredForm, storedCode, storedOverride, storedWords } from "../stored.ts";
import { checkQuads } from "./head_size.ts";

/**
 * Copies key and value heads of fused qkv rows into the cache (slots, K, S, D), as `entries` say: source row, slot,
 * position. Entries with one of the three out of range (a slot of 0xffffffff, for one) are skipped.
 */
export const kvStoreStored = byForm((form: StoredForm) =>
  defineKernel({
    label: "kv_store",
    code: storedCode(code, form),
    params: {
      entries: "u32",
      rows: "u32",
      heads: "u32",
      kv_heads: "u32",
      head_dim: "u32",
      slots: "u32",
      capacity: "u32",
    },
    bindings: {
      qkv: { access: "read", length: (d) => d.rows * (d.heads + 2 * d.kv_heads) * d.head_dim },
      entries: { access: "read", length: (d) => 3 * d.entries },
      cache_k: {
        access: "read_write",
        length: (d) => storedWords(form, d.slots * d.kv_heads * d.capacity * d.head_dim),
      },
      cache_v: {
        access: "read_write",
        length: (d) => storedWords(form, d.slots * d.kv_heads * d.capacity * d.head_dim),
      },
    },
    overrides: { WORKGROUP_SIZE: 64, ...storedOverride(form) },
    grid: (d, { WORKGROUP_SIZE }) => {
      checkQuads("kv_store", d.head_dim);
      return [spread((d.entries * d.kv_heads * d.head_dim) / (4 * WORKGROUP_SIZE)), 1, 1];
    },
    flops: () => 0,
    bytes: (d) => {
      const moved = 2 * d.entries * d.kv_heads * d.head_dim;
      return 4 * (moved + storedWords(form, moved) + 3 * d.entries);
    },
  }),
);

/** Into a cache in f32. */
export const kvStore = kvStoreStored("f32");
