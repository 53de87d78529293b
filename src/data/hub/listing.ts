/**
 * What a revision of a model or a data set on the hub consists of: the commit it stands for and its files with sizes and
 * hashes. The hub's own client library asks; this file chooses what is needed and names what went wrong.
 */
import {
  datasetInfo,
  HubApiError,
  type ListFileEntry,
  listFiles,
  modelInfo,
  type PathInfo,
  pathsInfo,
} from "@huggingface/hub";
import { DataError } from "../../errors.ts";
import { ADAPTER_CONFIG, ADAPTER_WEIGHTS } from "../../model/adapters/peft.ts";

export interface HubOptions {
  /** Where the hub is; its public address by default. */
  hubUrl?: string;
  /** For gated and private models. Sent to the hub alone and never stored. */
  token?: string;
  /** Stands in for `fetch`. */
  fetch?: typeof fetch;
}

export interface HubFile {
  path: string;
  size: number;
  /** SHA-256 of a large file's bytes, or git's SHA-1 of a small one. */
  hash: { kind: "sha256" | "git"; hex: string };
}

/** What kind of repository: they have addresses of their own. */
export type RepoKind = "model" | "dataset";

export interface HubListing {
  /** Absent: a model. */
  kind?: RepoKind;
  id: string;
  /** As asked for: a branch, a tag or a commit. */
  revision: string;
  /** The commit that it stood for. */
  commit: string;
  files: HubFile[];
}

const TEXT_FILES = new Set([
  "config.json",
  "generation_config.json",
  "tokenizer.json",
  "tokenizer_config.json",
  "special_tokens_map.json",
  "chat_template.jinja",
  "model.safetensors.index.json",
]);
const SHARD = /^model-\d{5}-of-\d{5}\.safetensors$/;

const ADAPTER_FILES = new Set<string>([ADAPTER_CONFIG, ADAPTER_WEIGHTS]);

/**
 * The files that a policy is made of: a sharded model's single file, where there is one as well, is left. Adapters count
 * only where there is no model beside them; a copy of the model's config.json is not theirs.
 */
function neededFiles(all: readonly ListFileEntry[]): HubFile[] {
  const files = all.filter(({ type }) => type === "file");
  const has = (name: string) => files.some(({ path }) => path === name);
  const sharded = has("model.safetensors.index.json");
  const adapters = !sharded && !has("model.safetensors") && has(ADAPTER_WEIGHTS);
  const isNeeded = (path: string) => {
    if (adapters) return ADAPTER_FILES.has(path) || (TEXT_FILES.has(path) && path !== "config.json");
    return TEXT_FILES.has(path) || (sharded ? SHARD.test(path) : path === "model.safetensors");
  };
  return files.filter(({ path }) => isNeeded(path)).map(hubFile);
}

function hubFile({ path, size, oid, lfs }: ListFileEntry | PathInfo): HubFile {
  const hash = lfs ? { kind: "sha256" as const, hex: lfs.oid } : { kind: "git" as const, hex: oid ?? "" };
  return { path, size: lfs?.size ?? size, hash };
}

/**
 * Asks the hub what a model's revision consists of.
 * @throws DataError `hub/not-found`, `hub/gated`, `hub/unreachable`, `hub/busy`, `hub/no-weights`
 */
export async function listModel(id: string, revision: string, options: HubOptions): Promise<HubListing> {
  const { hubUrl, token, fetch } = options;
  const shared = { hubUrl, fetch, ...(token ? { accessToken: token } : {}) };
  const entries: ListFileEntry[] = [];
  let commit: string;
  try {
    const info = await modelInfo({ name: id, revision, additionalFields: ["sha"], ...shared });
    commit = String(info.sha ?? revision);
    const repo = { type: "model" as const, name: id };
    for await (const entry of listFiles({ repo, revision: commit, ...shared })) entries.push(entry);
  } catch (error) {
    throw hubError(`list ${id} at ${revision}`, error, options);
  }
  const files = neededFiles(entries);
  if (!files.some(({ path }) => path.endsWith(".safetensors"))) {
    throw new DataError(
      "hub/no-weights",
      `Cannot use ${id}: it holds neither model.safetensors nor ${ADAPTER_WEIGHTS}`,
      {
        hint: "Choose a model whose weights are stored as safetensors; .bin and .gguf files are not read",
      },
    );
  }
  return { id, revision, commit, files };
}

/**
 * Asks the hub for one file of a data set's revision.
 * @throws DataError `hub/not-found`, `hub/gated`, `hub/unreachable`, `hub/busy`
 */
export async function listDatasetFile(
  id: string,
  revision: string,
  path: string,
  options: HubOptions,
): Promise<HubListing> {
  const { hubUrl, token, fetch } = options;
  const shared = { hubUrl, fetch, ...(token ? { accessToken: token } : {}) };
  let found: PathInfo | undefined;
  let commit: string;
  try {
    const info = await datasetInfo({ name: id, revision, additionalFields: ["sha"], ...shared });
    commit = String(info.sha ?? revision);
    const repo = { type: "dataset" as const, name: id };
    [found] = await pathsInfo({ repo, paths: [path], revision: commit, ...shared });
  } catch (error) {
    throw hubError(`find the data set ${id} at ${revision}`, error, options, "dataset");
  }
  if (found?.type === "file") return { kind: "dataset", id, revision, commit, files: [hubFile(found)] };
  const what = found ? "that is a folder" : "the data set has no such file";
  throw new DataError("hub/not-found", `Cannot find ${path} in ${id} at ${revision}: ${what}`, {
    hint: "Look the file's path up on the data set's page, under Files",
  });
}

const KIND_NAMES: Record<RepoKind, string> = { model: "model", dataset: "data set" };

/** What the hub answered, as an error that says what to do. */
export function hubError(
  attempt: string,
  cause: unknown,
  { hubUrl, token }: HubOptions,
  kind: RepoKind = "model",
): unknown {
  if (cause instanceof DataError || (cause as Error)?.name === "AbortError") return cause;
  const status = cause instanceof HubApiError ? cause.statusCode : (cause as { status?: number })?.status;
  const at = hubUrl ?? "the hub";
  if (status === 404) {
    return new DataError(
      "hub/not-found",
      `Cannot ${attempt}: ${at} answered 404, there is no such ${KIND_NAMES[kind]} or revision`,
      {
        hint: "Check the spelling of owner/name and the revision",
        cause,
      },
    );
  }
  if (status === 401 || status === 403) {
    const hint = token
      ? `Accept the ${KIND_NAMES[kind]}'s terms on its page with the account that the token belongs to, or use another token`
      : `Accept the ${KIND_NAMES[kind]}'s terms on its page, then give a token: HF_TOKEN in the environment, or the field on the page`;
    return new DataError("hub/gated", `Cannot ${attempt}: ${at} answered ${status}, access is restricted`, {
      hint,
      cause,
    });
  }
  if (status === 429 || (status !== undefined && status >= 500)) {
    return new DataError("hub/busy", `Cannot ${attempt}: ${at} answered ${status}`, {
      hint: "Try again in a few minutes; what has been downloaded is kept",
      cause,
    });
  }
  const reason =
    cause instanceof Error
      ? [cause.message, (cause.cause as Error)?.message].filter(Boolean).join(": ")
      : String(cause);
  return new DataError(
    "hub/unreachable",
    `Cannot ${attempt}: ${at} cannot be reached or answers nonsense (${reason})`,
    {
      hint: "Check the connection and try again; what has been downloaded is kept",
      cause,
    },
  );
}
