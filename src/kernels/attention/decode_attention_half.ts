import code from "../../../shaders/attention/decode_attention_half.wgsl" with { type: "text" };
import { defineKernel } from "../../gpu/kernel.ts";
import { byHalfForm, halfCode, halfOverride } from "../half.ts";
import { decodeAttention } from "./decode_attention.ts";

/** `decodeAttention` over the f16 cache that `kvStoreHalf` fills. */
export const decodeAttentionHalf = byHalfForm((form) =>
  defineKernel({
    ...decodeAttention.spec,
    label: "decode_attention_half",
    code: halfCode(code, form),
    bindings: {
      ...decodeAttention.spec.bindings,
      cache_k: { access: "read", length: (d) => (d.slots * d.kv_heads * d.capacity * d.head_dim) / 2 },
      cache_v: { access: "read", length: (d) => (d.slots * d.kv_heads * d.capacity * d.head_dim) / 2 },
    },
    overrides: { ...decodeAttention.overrides, ...halfOverride(form) },
    // Half full, as in `decodeAttention`.
    bytes: (d) => 4 * d.rows * d.head_dim * (2 * d.heads + (d.kv_heads * d.capacity) / 2),
  }),
);
