import code from "../../../shaders/attention/kv_store_half.wgsl" with { type: "text" };
import { defineKernel } from "../../gpu/kernel.ts";
import { byHalfForm, halfCode, halfOverride } from "../half.ts";
import { kvStore } from "./kv_store.ts";

/** `kvStore` into a cache in f16, which takes half as many words. */
export const kvStoreHalf = byHalfForm((form) =>
  defineKernel({
    ...kvStore.spec,
    label: "kv_store_half",
    code: halfCode(code, form),
    bindings: {
      ...kvStore.spec.bindings,
      cache_k: { access: "read_write", length: (d) => (d.slots * d.kv_heads * d.capacity * d.head_dim) / 2 },
      cache_v: { access: "read_write", length: (d) => (d.slots * d.kv_heads * d.capacity * d.head_dim) / 2 },
    },
    overrides: { ...kvStore.overrides, ...halfOverride(form) },
    bytes: (d) => 4 * d.entries * (3 * d.kv_heads * d.head_dim + 3),
  }),
);
