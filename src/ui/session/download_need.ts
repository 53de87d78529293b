/** What a run has to fetch before it can begin, as lines of the preflight card. */

import { byteText } from "../parts/format.ts";
import type { NeededDownload, PreflightLine } from "./api.ts";

export interface DownloadPart {
  kind: "adapters" | "model" | "problems";
  /** As a recipe or adapters name it. */
  name: string;
  bytes: number;
}

export interface DownloadNeed {
  /** What lies on the hub and not here, adapters before the model that they belong to. */
  parts: DownloadPart[];
  /** The hub's. */
  host: string;
  /** Of model files at an address, on this origin as a rule; null: there are none to fetch. */
  siteBytes: number | null;
  /** The size of those on this origin is not told by its server. */
  guessed: boolean;
  /** Folders of adapters by name, the lowest first, and the model below them; null: the model is a whole one. */
  adapters: { names: string[]; base: string } | null;
  /** The file of problems among the parts, as the recipe names it. */
  data?: string;
  /** Hosts other than this origin's and the hub that the run will ask, by what they are asked for. */
  elsewhere?: { model?: string; problems?: string };
}

/** Bytes of the hub. */
export const hubBytes = ({ parts }: Pick<DownloadNeed, "parts">): number =>
  parts.reduce((sum, { bytes }) => sum + bytes, 0);

/** All that is fetched; null: everything lies in this browser. */
export const allBytes = (need: Pick<DownloadNeed, "parts" | "siteBytes">): number | null =>
  need.parts.length === 0 && need.siteBytes === null ? null : hubBytes(need) + (need.siteBytes ?? 0);

/** What to bring here before a run of a recipe's model can begin; null: nothing. */
export function neededDownload(need: DownloadNeed, model: string): NeededDownload | null {
  const { parts, data } = need;
  if (parts.length === 0) return null;
  return { model, bytes: hubBytes(need), names: parts.map(({ name }) => name), ...(data && { data }) };
}

/** Which model below which adapters, where there are some, and what is fetched from where. */
export function downloadLines(need: DownloadNeed): PreflightLine[] {
  const { parts, host, siteBytes, guessed, adapters, elsewhere } = need;
  const places = [
    parts.length > 0 ? `${byteText(hubBytes(need))} from ${host}` : "",
    siteBytes === null
      ? ""
      : `${guessed ? "about " : ""}${byteText(siteBytes)} from ${elsewhere?.model ?? "this site"}`,
  ].filter((text) => text);
  const kinds = [...new Set(parts.map(({ kind }) => kind))].map((kind) => {
    const bytes = hubBytes({ parts: parts.filter((part) => part.kind === kind) });
    return `${kind} ${byteText(bytes)}`;
  });
  const each = kinds.length > 1 || parts[0]?.kind === "problems" ? `: ${kinds.join(", ")}` : "";
  const here = `nothing: the model ${adapters ? "and its adapters lie" : "lies"} in this browser`;
  const value = places.length > 0 ? `${places.join(" and ")}, once${each}` : here;
  const lines: PreflightLine[] = [{ key: "download", label: "Download", level: "ok", value }];
  if (elsewhere?.problems) {
    const value = `read from ${elsewhere.problems} when the run starts`;
    lines.push({ key: "problems", label: "Problems", level: "note", value });
  }
  if (adapters) {
    const value = `adapters ${adapters.names.toReversed().join(" over ")} over ${adapters.base}, merged as it is read`;
    lines.unshift({ key: "model", label: "Model", level: "ok", value });
  }
  return lines;
}
