/** The one download that may go on: begun, paused, taken up again, given up. */
import { signal } from "@preact/signals";
import { readDataName } from "../../config/data_name.ts";
import type { KeptModel, NeededDownload } from "../session/api.ts";
import { session, type Trouble, troubleOf } from "../shell/session.ts";
import { modelsChanged } from "../state/model_access.ts";

export interface Download {
  /** As it was when it was begun: its bytes stay, whatever of it has come meanwhile. */
  needed: NeededDownload;
  phase: "running" | "paused" | "failed";
  doneBytes: number;
  /** What has come is being compared with what the hub promised. */
  checking: boolean;
  trouble: Trouble | null;
}

export const download = signal<Download | null>(null);

/** The download to tell of beside a run: one that rests only where the run needs just that. */
export function shownDownload(going: Download | null, needed: NeededDownload | undefined): Download | null {
  const isOwn = needed?.names.join() === going?.needed.names.join();
  return isOwn || going?.phase === "running" ? going : null;
}

/** The data set of the hub that is among what is needed. */
export function dataOf({ data = "" }: NeededDownload): string | null {
  const named = readDataName(data);
  return named.kind === "hub" ? named.id : null;
}

const change = (parts: Partial<Download>) => {
  if (download.value) download.value = { ...download.value, ...parts };
};

/** Begins, or goes on from where an earlier attempt was ended. */
export async function startDownload(needed: NeededDownload): Promise<void> {
  const had = download.value?.needed === needed ? download.value.doneBytes : 0;
  download.value = { needed, phase: "running", doneBytes: had, checking: false, trouble: null };
  const isOwn = () => download.value?.needed === needed && download.value.phase === "running";
  try {
    const client = await session();
    const whole = await client.download(needed, ({ phase, doneBytes, totalBytes }) => {
      if (!isOwn()) return;
      // Of a second attempt, what is whole already is not told of any more.
      const reached = needed.bytes - (totalBytes - doneBytes);
      const shown = Math.max(download.peek()?.doneBytes ?? 0, reached);
      change({ doneBytes: shown, checking: phase === "verify" });
    });
    if (whole && download.value?.needed === needed) {
      download.value = null;
      modelsChanged.value++;
    }
  } catch (error) {
    if (isOwn()) change({ phase: "failed", checking: false, trouble: troubleOf(error) });
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
  const { names } = value.needed;
  const client = await session();
  await client.stopDownload();
  // What has not come whole does not know its revision.
  const isPart = ({ model, complete }: KeptModel) =>
    complete ? names.includes(model) : names.some((name) => name.split("@")[0] === model);
  for (const part of (await client.listModels()).filter(isPart)) await client.removeModel(part);
  const data = dataOf(value.needed);
  if (data !== null) await client.removeDataset(data, "parts");
}
