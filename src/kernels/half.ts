/**
 * Two ways to read and write tensors of f16, from one WGSL text that knows neither. Called by the twins of the kernels
 * named `…_half`; what a device offers, it must not know.
 */

/** `packed`: pairs in words, which every adapter can read; `native`: f16 vectors, which need the feature shader-f16. */
export type HalfForm = "packed" | "native";

export const HALF_FORMS: readonly HalfForm[] = ["packed", "native"];

/**
 * What goes before the shader: `Half4`, four f16 in 8 bytes, `widen` to f32, which is exact, and `narrow`, which rounds
 * to one of the two neighbours, as the adapter likes. WGSL leaves the conversion of what is too large for an f16
 * undefined, hence the clamp. `HALF_NATIVE` only tells the two pipelines of a kernel apart.
 */
const PRELUDES: Readonly<Record<HalfForm, readonly string[]>> = {
  packed: [
    "override HALF_NATIVE: u32 = 0;",
    "alias Half4 = vec2<u32>;",
    "fn widen(h: Half4) -> vec4<f32> { return vec4<f32>(unpack2x16float(h.x), unpack2x16float(h.y)); }",
    "fn narrow(v: vec4<f32>) -> Half4 {",
    "let s = clamp(v, vec4<f32>(-65504.0), vec4<f32>(65504.0));",
    "return vec2<u32>(pack2x16float(s.xy), pack2x16float(s.zw)); }",
  ],
  native: [
    "enable f16;",
    "override HALF_NATIVE: u32 = 0;",
    "alias Half4 = vec4<f16>;",
    "fn widen(h: Half4) -> vec4<f32> { return vec4<f32>(h); }",
    "fn narrow(v: vec4<f32>) -> Half4 {",
    "return vec4<f16>(clamp(v, vec4<f32>(-65504.0), vec4<f32>(65504.0))); }",
  ],
};

/** The shader in one of its forms. The prelude shares the first line, so that messages name the file's lines. */
export function halfCode(code: string, form: HalfForm): string {
  return `${PRELUDES[form].join(" ")} ${code}`;
}

/** Goes with the other override constants of a kernel in this form. */
export function halfOverride(form: HalfForm): { HALF_NATIVE: number } {
  return { HALF_NATIVE: form === "native" ? 1 : 0 };
}

/** The two kernels of one shader, each made once. */
export function byHalfForm<K>(make: (form: HalfForm) => K): (form: HalfForm) => K {
  const made = new Map<HalfForm, K>();
  return (form) => {
    let kernel = made.get(form);
    if (kernel === undefined) {
      kernel = make(form);
      made.set(form, kernel);
    }
    return kernel;
  };
}

/** @throws RangeError unless every number is a multiple of 4 */
export function checkFours(label: string, numbers: Readonly<Record<string, number>>): void {
  for (const [name, value] of Object.entries(numbers)) {
    if (value % 4 !== 0)
      throw new RangeError(`Cannot run ${label} with ${name} = ${value}: a multiple of 4 is needed`);
  }
}
