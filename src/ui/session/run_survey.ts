/**
 * What is known of a run before any weights are: its model with the adapters over it, its longest sequence, and what of them
 * and of its problems has to be downloaded. The session worker asks.
 */
import { isOnHub, readDataName } from "../../config/data_name.ts";
import type { Recipe } from "../../config/schema.ts";
import { readModelJson } from "../../data/model_json.ts";
import { loadModelConfig } from "../../data/source.ts";
import { parseAdapterConfig } from "../../model/adapters/config.ts";
import { ADAPTER_CONFIG, ADAPTER_WEIGHTS } from "../../model/adapters/peft.ts";
import { countParameters, type ModelConfig } from "../../model/config.ts";
import { surveyTask } from "../../stages.ts";
import type { DownloadNeed } from "./download_need.ts";
import { type FoundModel, findModel, HUB } from "./models.ts";
import { isElsewhere } from "./own_origin.ts";
import { type FoundPolicy, findPolicy, foldersOf, hubSizes, policyText } from "./policies.ts";
import { missingDataBytes, problemsAtHand, readPageProblems } from "./problems.ts";
import type { Places } from "./recipes.ts";

export interface RunSurvey {
  policy: FoundPolicy<FoundModel>;
  config: ModelConfig;
  /** Longest prompt and completion together, in tokens. */
  maxSequence: number;
  /** What prompts were taken to have at most, in tokens, where they cannot be read yet; null: they were read. */
  assumedPrompt: number | null;
}

/** @throws DataError for what cannot be found, is no model, or is not understood */
export async function surveyRun(recipe: Recipe, places: Places): Promise<RunSurvey> {
  const policy = await findPolicy(recipe.model, (name) => findModel(name, places));
  const config = await loadModelConfig(policy.found.source);
  // Before megabytes are asked for: a kind of adapter that is not understood.
  for (const { found } of policy.adapters)
    parseAdapterConfig(await readModelJson(found.source, ADAPTER_CONFIG));
  const isHere = hubSizes(policy).every((bytes) => bytes === 0);
  if (isHere && (!recipe.data || (await problemsAtHand(recipe.data.file, places))))
    return {
      policy,
      config,
      maxSequence: await longestSequence(recipe, policy, places),
      assumedPrompt: null,
    };
  const longest = Math.max(recipe.generator.maxTokens, recipe.evaluation.maxTokens);
  return { policy, config, maxSequence: 2 * longest, assumedPrompt: longest };
}

/** The last answer about problems of the hub: thousands of prompts are counted for it, and forms ask at every change. */
let counted: { key: string; maxSequence: number } | null = null;

async function longestSequence(
  recipe: Recipe,
  policy: FoundPolicy<FoundModel>,
  places: Places,
): Promise<number> {
  const { data } = recipe;
  // What neither asks nor answers is left out. A file at an address may be another each time.
  const { trainer: _trainer, gpu: _gpu, weights: _weights, ...asked } = recipe;
  const isLasting = data !== undefined && isOnHub(data.file);
  const key = isLasting ? JSON.stringify([foldersOf(policy).map(placeOf), asked]) : null;
  if (key !== null && counted?.key === key) return counted.maxSequence;
  // They were here a moment ago: what was deleted since is not brought back by who only looks.
  const access = { ...places.access, askHub: false };
  const problems = data && (await readPageProblems(data, { ...places, access }));
  const { maxSequence } = await surveyTask({ recipe, model: await policyText(policy), problems });
  if (key !== null) counted = { key, maxSequence };
  return maxSequence;
}

/** A folder's files may be others under the same name, where it was given. */
const placeOf = ({ found: { source } }: { found: FoundModel }) =>
  source.handle.kind === "blobs"
    ? Object.entries(source.handle.files).map(([name, { size }]) => [source.where, name, size])
    : source.where;

async function sizeByHead(address: string): Promise<number | null> {
  const response = await fetch(address, { method: "HEAD" }).catch(() => null);
  if (!response?.ok || response.headers.get("content-type")?.startsWith("text/html")) return null;
  const length = Number(response.headers.get("content-length"));
  return length > 0 ? length : null;
}

/** Bytes of a folder at an address; the weights' are guessed where the server does not tell. */
async function sizeOfAddress(where: string, config: ModelConfig, isModel: boolean) {
  const others = ["tokenizer.json", "tokenizer_config.json", isModel ? "config.json" : ADAPTER_CONFIG];
  const names = [isModel ? "model.safetensors" : ADAPTER_WEIGHTS, ...others];
  const [weights, ...rest] = await Promise.all(names.map((name) => sizeByHead(`${where}${name}`)));
  const halves = /16/.test(String(config.raw.dtype ?? config.raw.torch_dtype));
  const guessed = isModel ? countParameters(config) * (halves ? 2 : 4) : 0;
  const bytes = rest.reduce((sum: number, size) => sum + (size ?? 0), weights ?? guessed);
  return { bytes, guessed: weights === null };
}

/** What has to be downloaded for a run, and from where. @throws DataError `hub/*` */
export async function downloadNeed(
  { data }: Pick<Recipe, "data">,
  { policy, config }: Pick<RunSurvey, "policy" | "config">,
  places: Places,
): Promise<DownloadNeed> {
  const parts: DownloadNeed["parts"] = [];
  const elsewhere: NonNullable<DownloadNeed["elsewhere"]> = {};
  let siteBytes: number | null = null;
  let guessed = false;
  for (const { found, model } of foldersOf(policy)) {
    const { from, source } = found;
    if (from === "here") continue;
    if (from !== "origin")
      parts.push({ kind: found === policy.found ? "model" : "adapters", name: model, bytes: from.bytes });
    else {
      const size = await sizeOfAddress(source.where, config, found === policy.found);
      siteBytes = (siteBytes ?? 0) + size.bytes;
      guessed ||= size.guessed;
      if (isElsewhere(source.where, places.base)) elsewhere.model = new URL(source.where).host;
    }
  }
  const dataBytes = (data && (await missingDataBytes(data.file, places))) ?? 0;
  if (data && dataBytes > 0) parts.push({ kind: "problems", name: data.file, bytes: dataBytes });
  if (data && readDataName(data.file).kind === "file" && isElsewhere(data.file, places.base))
    elsewhere.problems = URL.canParse(data.file) ? new URL(data.file).host : data.file;
  const { adapters, model: base } = policy;
  return {
    parts,
    host: new URL(places.access?.hubUrl ?? HUB).host,
    siteBytes,
    guessed,
    adapters: adapters.length > 0 ? { names: adapters.map(({ model }) => model), base } : null,
    ...(data && dataBytes > 0 && { data: data.file }),
    ...(Object.keys(elsewhere).length > 0 && { elsewhere }),
  };
}
