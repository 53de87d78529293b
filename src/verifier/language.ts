/**
 * Tells the language of a text with the fastText model that npm `fasttext.wasm.js` ships, loaded at the first question.
 * Short texts are "unknown": on a few characters the model answers with confidence what is not so.
 */

/** An ISO 639-3 code, or null where the text is too short or the model is unsure. */
export type LanguageIdentifier = (text: string) => Promise<string | null>;

export const MIN_LETTERS = 20;
export const MIN_PROBABILITY = 0.5;
const MAX_CHARACTERS = 4000;

interface Model {
  identify(text: string): Promise<{ alpha3?: string | null; possibility: number }>;
}

let loading: Promise<Model> | null = null;

/** Where a page finds the model's files; bundlers resolve these literals, Node and Deno never read them. */
const assets = () => ({
  wasmPath: new URL("../../node_modules/fasttext.wasm.js/dist/fastText/fastText.common.wasm", import.meta.url)
    .href,
  modelPath: new URL("../../node_modules/fasttext.wasm.js/dist/fastText/models/lid.176.ftz", import.meta.url)
    .href,
});

async function load(): Promise<Model> {
  const { getLIDModel } = await import("fasttext.wasm.js");
  const inBrowser = !("Deno" in globalThis) && !("process" in globalThis && "versions" in process);
  const model = await getLIDModel(inBrowser ? assets() : {});
  await model.load();
  return model;
}

/** Prose without formulas, code, tags and markup. */
export function stripForLanguage(text: string): string {
  return text
    .replace(/```[\s\S]*?(?:```|$)|`[^`\n]*`/g, " ")
    .replace(/\$\$[\s\S]*?\$\$|\\\[[\s\S]*?\\\]|\\\([\s\S]*?\\\)|\$[^$\n]*\$/g, " ")
    .replace(/\\begin\{([a-z*]+)\}[\s\S]*?\\end\{\1\}/g, " ")
    .replace(/\\(?:boxed|fbox)\s*\{(?:[^{}]|\{[^{}]*\})*\}/g, " ")
    .replace(/\\[a-zA-Z]+/g, " ")
    .replace(/<[^<>\n]{1,40}>/g, " ")
    .replace(/\s+/g, " ")
    .trim();
}

/** The language of a text by its prose alone. */
export async function identifyLanguage(text: string): Promise<string | null> {
  const prose = stripForLanguage(text.slice(0, 4 * MAX_CHARACTERS)).slice(0, MAX_CHARACTERS);
  const letters = prose.match(/\p{L}/gu)?.length ?? 0;
  if (letters < MIN_LETTERS) return null;
  loading ??= load();
  // A failed load is tried again at the next question.
  loading.catch(() => {
    loading = null;
  });
  const { alpha3, possibility } = await (await loading).identify(prose);
  return alpha3 && possibility >= MIN_PROBABILITY ? alpha3 : null;
}
