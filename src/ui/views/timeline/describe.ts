/** A slice in words: for the card below the canvas and for whoever listens. */
import { labelOf } from "./activities.ts";
import type { Arrow, Slice, TraceIndex } from "./trace_index.ts";
import { clock, length } from "./viewport.ts";

export interface Link {
  /** "feeds" a later slice, "from" an earlier one. */
  way: "feeds" | "from";
  /** Arrows that join the same two slices. */
  count: number;
  slice: Slice;
}

export interface Description {
  title: string;
  track: string;
  start: string;
  duration: string;
  details: [name: string, value: string][];
  links: Link[];
}

/** Exact enough to tell a slice's start from its neighbours', milliseconds. */
export const EXACT = 1;

export function describe(slice: Slice, index: TraceIndex): Description {
  return {
    title: labelOf(slice),
    track: slice.track,
    start: clock(slice.start - index.origin, EXACT),
    duration: length(slice.end - slice.start),
    details: Object.entries(slice.details ?? {}).map(([name, value]) => [words(name), written(value)]),
    links: [...joined(index.reaching(slice), "from", index), ...joined(index.leaving(slice), "feeds", index)],
  };
}

/** One sentence for a live region. */
export function spoken(slice: Slice, index: TraceIndex): string {
  const { title, track, start, duration, details, links } = describe(slice, index);
  const rest = details.map(([name, value]) => `${name} ${value}`);
  const joins = (["from", "feeds"] as const).flatMap((way) => {
    const ways = links.filter((link) => link.way === way);
    if (ways.length === 0) return [];
    const tracks = [...new Set(ways.map(({ slice: { track } }) => track))].join(" and ");
    const arrows = ways.reduce((sum, { count }) => sum + count, 0);
    return [`${arrows} ${arrows === 1 ? "arrow" : "arrows"} ${way === "from" ? "from" : "to"} ${tracks}`];
  });
  return `${[`${track}: ${title}`, `starts at ${start}`, `lasts ${duration}`, ...rest, ...joins].join(", ")}.`;
}

function joined(arrows: readonly Arrow[], way: Link["way"], index: TraceIndex): Link[] {
  const links = new Map<Slice, Link>();
  for (const { from, to } of arrows) {
    const end = way === "feeds" ? to : from;
    const slice = index.sliceAt(end.track, end.at);
    if (!slice) continue;
    const link = links.get(slice);
    if (link) link.count++;
    else links.set(slice, { way, count: 1, slice });
  }
  return [...links.values()];
}

/** `policyVersion` and `policy_version` as "policy version". */
function words(name: string): string {
  return name
    .replace(/([a-z])([A-Z])/g, "$1 $2")
    .replaceAll("_", " ")
    .toLowerCase();
}

function written(value: unknown): string {
  if (typeof value === "number")
    return Number.isInteger(value) ? value.toLocaleString("en") : String(Number(value.toPrecision(4)));
  if (typeof value === "string" || typeof value === "boolean") return String(value);
  return JSON.stringify(value) ?? "";
}
