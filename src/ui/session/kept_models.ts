/** The models among the page's private files, uploads and downloads alike. */
import { adapterBase } from "../../data/adapted.ts";
import type { ModelReader } from "../../data/source.ts";
import { checkName, listStoredModels, MODELS, type OpenStorage } from "../../runs/stored_runs.ts";
import type { KeptModel } from "./api.ts";
import { listDownloads, readDownload, removeDownload } from "./downloads.ts";

const UPLOAD = "stored:";

export async function listKept(open: OpenStorage): Promise<KeptModel[]> {
  const uploads = (await listStoredModels(open)).map(async (name): Promise<KeptModel> => {
    const files = await open(`${MODELS}/${name}`).files();
    const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
    const reader = readerOf(name, (file) => open(`${MODELS}/${name}`).read(file));
    return { model: `${UPLOAD}${name}`, bytes, complete: true, ...(await baseOf(reader)) };
  });
  const downloads = (await listDownloads()).map(async (cached): Promise<KeptModel> => {
    const { id, revision, commit, bytes, complete, folder } = cached;
    const isMain = revision === "main" || revision === "";
    const reader = readerOf(id, (file) => readDownload(`${folder}/${file}`));
    const base = complete ? await baseOf(reader) : {};
    return { model: isMain ? id : `${id}@${revision}`, commit, bytes, complete, ...base };
  });
  return Promise.all([...uploads, ...downloads]);
}

const readerOf = (where: string, read: ModelReader["read"]): ModelReader => ({
  where,
  read,
  list: async () => [],
});

/** Which model a folder's adapters belong to; nothing of a whole model, or where their description is damaged. */
async function baseOf(reader: ModelReader): Promise<Pick<KeptModel, "base">> {
  try {
    const { baseModel } = (await adapterBase(reader)) ?? {};
    return baseModel === undefined ? {} : { base: baseModel };
  } catch {
    // What is wrong with it is told where it is to be trained.
    return {};
  }
}

/** @throws DataError */
export async function removeKept({ model, commit }: KeptModel, open: OpenStorage): Promise<void> {
  if (model.startsWith(UPLOAD)) {
    const name = checkName(model.slice(UPLOAD.length));
    await open(`${MODELS}/${name}`).remove("");
  } else await removeDownload(model.split("@")[0], commit);
}
