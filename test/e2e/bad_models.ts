/** Model folders that are broken, each in one way: copies of the built-in policy. */
import { cp, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { modelFolder } from "../loop/tiny.ts";

type Breaker = (folder: string) => Promise<void>;

const changeConfig =
  (changes: Record<string, unknown>): Breaker =>
  async (folder) => {
    const path = join(folder, "config.json");
    const config = JSON.parse(await readFile(path, "utf8")) as Record<string, unknown>;
    await writeFile(path, JSON.stringify({ ...config, ...changes }));
  };

/** Gate and up projection together are more than the 128 MiB that every GPU gives one binding, and cannot be cut. */
const outgrowBinding = changeConfig({ intermediate_size: 2 ** 17 + 64 });

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
