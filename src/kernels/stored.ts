/**
 * Three ways to keep a tensor that is read and written in fours, from one WGSL text that knows none of them. Called by the
 * twins of kernels with such a tensor; what a device offers, it must not know.
 */

/** `packed`: pairs in words, which every adapter can read; `native`: f16 vectors, which need the feature shader-f16. */
export type HalfForm = "packed" | "native";
export type StoredForm = "f32" | HalfForm;

export const HALF_FORMS: readonly HalfForm[] = ["packed", "native"];
export const STORED_FORMS: readonly StoredForm[] = ["f32", ...HALF_FORMS];

/**
 * What goes before the shader: `Stored4`, four numbers in 16 bytes or in 8, `widen` to f32, which is exact, and `narrow`,
 * which rounds to one of the two neighbours, as the adapter likes. WGSL leaves the conversion of what is too large for an
 * f16 undefined, hence the clamp. `STORED` only tells the pipelines of a kernel apart.
 */
const PRELUDES: Readonly<Record<StoredForm, readonly string[]>> = {
  f32: [
    "override STORED: u32 = 0;",
    "alias Stored4 = vec4<f32>;",
    "fn widen(s: Stored4) -> vec4<f32> { return s; }",
    "fn narrow(v: vec4<f32>) -> Stored4 { return v; }",
  ],
  packed: [
    "override STORED: u32 = 0;",
    "alias Stored4 = vec2<u32>;",
    "fn widen(s: Stored4) -> vec4<f32> { return vec4<f32>(unpack2x16float(s.x), unpack2x16float(s.y)); }",
    "fn narrow(v: vec4<f32>) -> Stored4 {",
    "let s = clamp(v, vec4<f32>(-65504.0), vec4<f32>(65504.0));",
    "return vec2<u32>(pack2x16float(s.xy), pack2x16float(s.zw)); }",
  ],
  native: [
    "enable f16;",
    "override STORED: u32 = 0;",
    "alias Stored4 = vec4<f16>;",
    "fn widen(s: Stored4) -> vec4<f32> { return vec4<f32>(s); }",
    "fn narrow(v: vec4<f32>) -> Stored4 {",
    "return vec4<f16>(clamp(v, vec4<f32>(-65504.0), vec4<f32>(65504.0))); }",
  ],
};

/** The shader in one of its forms. The prelude shares the first line, so that messages name the file's lines. */
export function storedCode(code: string, form: StoredForm): string {
  return `${PRELUDES[form].join(" ")} ${code}`;
}

/** Goes with the other override constants of a kernel in this form. */
export function storedOverride(form: StoredForm): { STORED: number } {
  return { STORED: STORED_FORMS.indexOf(form) };
}

/** Words of 4 bytes that so many numbers take; a multiple of 4 of them. */
export function storedWords(form: StoredForm, count: number): number {
  return form === "f32" ? count : count / 2;
}

/** The kernels of one shader, one for each form, each made once. */
export function byForm<F extends StoredForm, K>(make: (form: F) => K): (form: F) => K {
  const made = new Map<F, K>();
  return (form) => {
    let kernel = made.get(form);
    if (kernel === undefined) {
      kernel = make(form);
      made.set(form, kernel);
    }
    return kernel;
  };
}

/** @throws RangeError unless each of the named numbers is a multiple of 4 */
export function checkFours<N extends string>(
  label: string,
  numbers: Readonly<Record<N, number>>,
  names: readonly N[],
): void {
  for (const name of names) {
    if (numbers[name] % 4 !== 0)
      throw new RangeError(`Cannot run ${label} with ${name} = ${numbers[name]}: a multiple of 4 is needed`);
  }
}
