/**
 * Takes an uploaded zip in: a run's folder becomes a stored run, a model's folder a stored model. Everything is checked
 * before the file that makes it count is written, which comes last: until then no list shows it, and what a reload leaves of
 * it is swept away by the next start. Nobody else may have the folder meanwhile; who knows of others is the caller.
 */
import { parseRecipe } from "../config/parse.ts";
import { adapterBase } from "../data/adapted.ts";
import { readModelJson } from "../data/model_json.ts";
import { loadModelFiles, openModelMemory } from "../data/source.ts";
import { ConfigError, DataError } from "../errors.ts";
import { parseRows } from "../metrics/ndjson.ts";
import { parseAdapterConfig } from "../model/adapters/config.ts";
import { ADAPTER_CONFIG, ADAPTER_WEIGHTS } from "../model/adapters/peft.ts";
import { parseSafetensors } from "../model/safetensors.ts";
import { loadTokenizer } from "../text/tokenizer.ts";
import { latestCheckpoint } from "./checkpoint.ts";
import type { ListedStorage } from "./opfs.ts";
import { readZip, type ZipEntry } from "./read_zip.ts";
import { freshName, MODELS, type OpenStorage, RUNS } from "./stored_runs.ts";

export interface ImportedFolder {
  kind: "run" | "model";
  name: string;
}

/** Takes a folder for oneself and returns how to let it go; null where somebody else has it. */
export type ClaimFolder = (folder: string) => Promise<(() => void) | null>;

const RUN_FILES =
  /^((recipe|summary|trace|events)\.json|(metrics|rollouts)\.ndjson|checkpoints\/step-\d{6,}\/[\w.-]+)$/;
/** Without moments and state, where it is a run's checkpoint. */
const MODEL_FILES =
  /^((adapter_)?config\.json|generation_config\.json|(?!optimizer)[\w.-]+\.safetensors|model\.safetensors\.index\.json|(tokenizer|tokenizer_config|special_tokens_map|added_tokens)\.json|chat_template\.jinja|vocab\.json|merges\.txt)$/;
/** What operating systems add by themselves. */
const LITTER = /(^|\/)(__MACOSX\/|\.DS_Store$|Thumbs\.db$|\._)/;

/** The files by their path below the folder that all of them share. */
function unwrap(entries: readonly ZipEntry[]): { folder: string; files: Map<string, ZipEntry> } {
  const kept = entries.filter(({ name }) => !LITTER.test(name));
  let folder = "";
  for (;;) {
    const first = kept[0]?.name.slice(folder.length).split("/");
    const deeper = first && first.length > 1 ? `${folder}${first[0]}/` : null;
    if (deeper === null || !kept.every(({ name }) => name.startsWith(deeper))) break;
    folder = deeper;
  }
  return { folder, files: new Map(kept.map((entry) => [entry.name.slice(folder.length), entry])) };
}

/**
 * Unpacks, checks and stores a zip under a name that is still free.
 * @throws DataError `zip/*`, `import/*`, `runs/*`, `model/*`; ConfigError for a recipe that cannot be used
 */
export async function importZip(
  zip: Blob,
  fileName: string,
  open: OpenStorage,
  claim: ClaimFolder = async () => () => undefined,
): Promise<ImportedFolder> {
  const { folder, files } = unwrap(await readZip(zip));
  // Browsers number downloads of the same name.
  const wanted = folder.split("/").at(-2) || fileName.replace(/\.zip$/i, "").replace(/ ?\(\d+\)$/, "");
  const place = { wanted, open, claim };
  if (files.has("recipe.json")) return importRun(files, place);
  if (files.has("config.json")) return importModel(files, place, "config.json");
  if (files.has(ADAPTER_CONFIG)) return importModel(files, place, ADAPTER_CONFIG);
  throw new DataError(
    "import/unknown",
    `Cannot use the zip: it holds neither a run (recipe.json) nor a model (config.json, model.safetensors) or its adapters (${ADAPTER_CONFIG}, ${ADAPTER_WEIGHTS})`,
    {
      hint: "Choose a zip that was downloaded here, or pack the folder of a run or of a model in Hugging Face layout",
    },
  );
}

interface Place {
  wanted: string;
  open: OpenStorage;
  claim: ClaimFolder;
}

/** Fills a folder of its own; one that cannot be filled is not left. */
async function fillFresh(
  parent: string,
  { wanted, open, claim }: Place,
  fill: (storage: ListedStorage) => Promise<void>,
): Promise<string> {
  const taken = await open(parent).list("");
  for (;;) {
    const name = freshName(wanted, taken);
    const folder = `${parent}/${name}`;
    const storage = open(folder);
    const release = await claim(folder);
    try {
      // Another tab may have filled it since the names were listed.
      if (release && (await storage.list("")).length === 0) {
        await fill(storage).catch(async (error) => {
          await storage.remove("");
          throw error;
        });
        return name;
      }
    } finally {
      release?.();
    }
    taken.push(name);
  }
}

async function importRun(files: Map<string, ZipEntry>, place: Place): Promise<ImportedFolder> {
  const own = [...files].filter(([path]) => RUN_FILES.test(path));
  const recipe = await files.get("recipe.json")!.read();
  checkRecipe(recipe);
  const name = await fillFresh(RUNS, place, async (storage) => {
    for (const [path, entry] of own) {
      if (path === "recipe.json") continue;
      const bytes = await entry.read();
      if (path.endsWith(".ndjson")) checkRows(bytes, path);
      await storage.writeFile(path, bytes);
    }
    const found = await latestCheckpoint(storage);
    if (!found && own.some(([path]) => path.startsWith("checkpoints/"))) {
      throw new DataError(
        "import/no-checkpoint",
        "Cannot use the zip: none of the run's checkpoints is whole",
        {
          hint: "Download the run again, or pack its folder without the checkpoints to look at it only",
        },
      );
    }
    await storage.writeFile("recipe.json", recipe);
  });
  return { kind: "run", name };
}

function checkRecipe(bytes: Uint8Array): void {
  let recipe: unknown;
  try {
    recipe = JSON.parse(new TextDecoder().decode(bytes));
  } catch (cause) {
    throw new DataError("import/bad-recipe", "Cannot use the zip as a run: its recipe.json is not JSON", {
      hint: "Choose a zip that was downloaded here",
      cause,
    });
  }
  try {
    parseRecipe(recipe);
  } catch (cause) {
    if (!(cause instanceof ConfigError)) throw cause;
    throw new ConfigError(cause.code, `Cannot use the zip as a run: ${lowerFirst(cause.message)}`, {
      hint: "It may come of another version of this page: take its checkpoint as a model, or mend its recipe.json",
      cause,
    });
  }
}

const lowerFirst = (text: string) => text[0].toLowerCase() + text.slice(1);

function checkRows(bytes: Uint8Array, path: string): void {
  try {
    parseRows(new TextDecoder().decode(bytes), path);
  } catch (cause) {
    if (!(cause instanceof DataError)) throw cause;
    throw new DataError("import/bad-row", `Cannot use the zip as a run: ${lowerFirst(cause.message)}`, {
      hint: "Download the run again, or take that line out of the file",
      cause,
    });
  }
}

/** @param mark the file that makes the folder a model or adapters; written last */
async function importModel(
  files: Map<string, ZipEntry>,
  place: Place,
  mark: "config.json" | typeof ADAPTER_CONFIG,
): Promise<ImportedFolder> {
  const unpacked: Record<string, Uint8Array> = {};
  for (const [path, entry] of files) if (MODEL_FILES.test(path)) unpacked[path] = await entry.read();
  await (mark === ADAPTER_CONFIG ? checkAdapters(unpacked) : checkModel(unpacked));
  const name = await fillFresh(MODELS, place, async (storage) => {
    for (const [path, bytes] of Object.entries(unpacked))
      if (path !== mark) await storage.writeFile(path, bytes);
    await storage.writeFile(mark, unpacked[mark]);
  });
  return { kind: "model", name };
}

async function checkModel(unpacked: Record<string, Uint8Array>): Promise<void> {
  await loadTokenizer(await loadModelFiles(openModelMemory(unpacked, "the zip")));
}

/** As far as it can be done without the model that they belong to, which may come later. */
async function checkAdapters(unpacked: Record<string, Uint8Array>): Promise<void> {
  const source = openModelMemory(unpacked, "the zip");
  await adapterBase(source);
  parseAdapterConfig(await readModelJson(source, ADAPTER_CONFIG));
  if (Object.hasOwn(unpacked, ADAPTER_WEIGHTS)) {
    parseSafetensors(unpacked[ADAPTER_WEIGHTS]);
    return;
  }
  throw new DataError("model/missing-file", `Cannot use the zip as adapters: ${ADAPTER_WEIGHTS} is missing`, {
    hint: "Pack the whole folder as it was written",
  });
}
