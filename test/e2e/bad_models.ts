/** Model folders that are broken, each in one way: copies of the built-in policy. */
import { cp, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { writeSafetensors } from "../../src/model/safetensors.ts";
import { modelFolder, tinyModel } from "../loop/tiny.ts";

type Breaker = (folder: string) => Promise<void>;

const changeConfig =
  (changes: Record<string, unknown>): Breaker =>
  async (folder) => {
    const path = join(folder, "config.json");
    const config = JSON.parse(await readFile(path, "utf8")) as Record<string, unknown>;
    await writeFile(path, JSON.stringify({ ...config, ...changes }));
  };

/** An embedding that is more than the 128 MiB every GPU gives one binding; the file is zeros and mostly a hole. */
const outgrowBinding: Breaker = async (folder) => {
  const { config, tensors } = await tinyModel();
  const rows = Math.ceil(2 ** 27 / 4 / config.width) + 1;
  await changeConfig({ vocab_size: rows })(folder);
  const small = writeSafetensors(
    Object.fromEntries([...tensors].map(([name, { shape, data }]) => [name, { dtype: "F32", shape, data }])),
  );
  const view = new DataView(small.buffer, small.byteOffset);
  const length = Number(view.getBigUint64(0, true));
  const header = JSON.parse(new TextDecoder().decode(small.subarray(8, 8 + length))) as Record<
    string,
    { shape: number[]; data_offsets: number[] }
  >;
  let at = 0;
  for (const [name, entry] of Object.entries(header)) {
    if (name === "__metadata__") continue;
    if (entry.shape[0] === config.vocabSize) entry.shape[0] = rows;
    const bytes = 4 * entry.shape.reduce((a, b) => a * b, 1);
    entry.data_offsets = [at, at + bytes];
    at += bytes;
  }
  const text = new TextEncoder().encode(JSON.stringify(header));
  const head = new Uint8Array(8 + text.length);
  new DataView(head.buffer).setBigUint64(0, BigInt(text.length), true);
  head.set(text, 8);
  const path = join(folder, "model.safetensors");
  await writeFile(path, head);
  await truncate(path, head.length + at);
};

export const breakers = {
  cut: (folder) => truncate(join(folder, "model.safetensors"), 100_000),
  headerless: (folder) => writeFile(join(folder, "model.safetensors"), "no tensors at all"),
  otherShapes: changeConfig({ hidden_size: 64 }),
  otherArchitecture: changeConfig({ architectures: ["GPT2LMHeadModel"], model_type: "gpt2" }),
  withoutTokenizer: (folder) => rm(join(folder, "tokenizer.json")),
  withoutWeights: (folder) => rm(join(folder, "model.safetensors")),
  outgrowBinding,
} satisfies Record<string, Breaker>;

/** Makes the broken folder below `parent` and returns its path. */
export async function brokenModel(parent: string, way: keyof typeof breakers): Promise<string> {
  const folder = join(parent, `model-${way}`);
  await cp(modelFolder, folder, { recursive: true });
  await breakers[way](folder);
  return folder;
}
