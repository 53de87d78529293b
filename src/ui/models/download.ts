/** The one download of a model that may go on: begun, paused, taken up again, given up. */
import { signal } from "@preact/signals";
import type { KeptModel } from "../session/api.ts";
import { session, type Trouble, troubleOf } from "../shell/session.ts";
import { modelsChanged } from "../state/model_access.ts";

export interface Download {
  /** As the recipe names it. */
  model: string;
  phase: "running" | "paused" | "failed";
  doneBytes: number;
  totalBytes: number;
  /** What has come is being compared with what the hub promised. */
  checking: boolean;
  trouble: Trouble | null;
}

export const download = signal<Download | null>(null);

const change = (parts: Partial<Download>) => {
  if (download.value) download.value = { ...download.value, ...parts };
};

/** Begins, or goes on from where an earlier attempt was ended. */
export async function startDownload(model: string, totalBytes: number): Promise<void> {
  const had = download.value?.model === model ? download.value.doneBytes : 0;
  download.value = { model, phase: "running", doneBytes: had, totalBytes, checking: false, trouble: null };
  const isOwn = () => download.value?.model === model && download.value.phase === "running";
  try {
    const client = await session();
    const whole = await client.download(model, ({ phase, ...progress }) => {
      if (isOwn()) change({ ...progress, checking: phase === "verify" });
    });
    if (whole && download.value?.model === model) {
      download.value = null;
      modelsChanged.value++;
    }
  } catch (error) {
    if (isOwn()) change({ phase: "failed", trouble: troubleOf(error) });
  }
}

export async function pauseDownload(): Promise<void> {
  change({ phase: "paused", checking: false });
  await (await session()).stopDownload();
}

/** Ends it and removes what has come of it. */
export async function cancelDownload(): Promise<void> {
  const { value } = download;
  download.value = null;
  if (!value) return;
  const client = await session();
  await client.stopDownload();
  const [id] = value.model.split("@");
  const isPart = ({ model, complete }: KeptModel) => model === id && !complete;
  for (const part of (await client.listModels()).filter(isPart)) await client.removeModel(part);
}
