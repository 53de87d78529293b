/** The models among the page's private files, uploads and downloads alike. */
import { checkName, listStoredModels, MODELS, type OpenStorage } from "../../runs/stored_runs.ts";
import type { KeptModel } from "./api.ts";
import { listDownloads, removeDownload } from "./downloads.ts";

const UPLOAD = "stored:";

export async function listKept(open: OpenStorage): Promise<KeptModel[]> {
  const uploads = (await listStoredModels(open)).map(async (name): Promise<KeptModel> => {
    const files = await open(`${MODELS}/${name}`).files();
    const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
    return { model: `${UPLOAD}${name}`, bytes, complete: true };
  });
  const downloads = (await listDownloads()).map(({ id, revision, commit, bytes, complete }): KeptModel => {
    const isMain = revision === "main" || revision === "";
    return { model: isMain ? id : `${id}@${revision}`, commit, bytes, complete };
  });
  return [...(await Promise.all(uploads)), ...downloads];
}

/** @throws DataError */
export async function removeKept({ model, commit }: KeptModel, open: OpenStorage): Promise<void> {
  if (model.startsWith(UPLOAD)) {
    const name = checkName(model.slice(UPLOAD.length));
    await open(`${MODELS}/${name}`).remove("");
  } else await removeDownload(model.split("@")[0], commit);
}
