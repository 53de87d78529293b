/** A trace as a run of two generators, two verifiers and a trainer would write it, in the order in which it is told. */
import { gpuTrackOf, type TraceEvent, type TraceMoment } from "../../../../src/metrics/trace.ts";

export interface SyntheticOptions {
  /** Optimiser steps. */
  steps: number;
  /** Milliseconds; a real trace counts from 1970. */
  origin?: number;
  /** Mean length of one decode slice, milliseconds. */
  decode?: number;
  /** Decode slices that finish one group, and groups in one step. */
  slicesPerGroup?: number;
  groupsPerStep?: number;
  /** Length of forward, backward and optimiser, milliseconds. */
  train?: number;
  /** With a track for each worker's GPU. */
  gpus?: boolean;
}

/** Mulberry32: the same trace each time. */
function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

const ON_GPU = /^(prefill|decode|forward|backward|optimiser)$/;

interface Group {
  id: number;
  from: TraceMoment;
  scored: number;
}

export function syntheticTrace(options: SyntheticOptions): TraceEvent[] {
  const { steps, origin = 1.8e12, decode = 90, slicesPerGroup = 2, groupsPerStep = 6, train = 620 } = options;
  const random = numbers(7);
  const around = (mean: number) => mean * (0.7 + 0.6 * random());
  const events: TraceEvent[] = [];
  const slice = (
    track: string,
    name: string,
    start: number,
    long: number,
    details?: Record<string, unknown>,
  ) => {
    events.push({ kind: "slice", track, name, start, end: start + long, details });
    if (options.gpus && ON_GPU.test(name))
      events.push({
        kind: "slice",
        track: gpuTrackOf(track),
        name: "compute",
        start: start + 0.1 * long,
        end: start + 0.9 * long,
        details: { submits: 4, dispatches: 900 },
      });
    return start + long;
  };
  const generators = [origin, origin + 35];
  const verifiers = [origin, origin];
  const used = [0, 0];
  const published = [origin];
  let trainer = origin;
  let id = 0;
  for (let step = 1; step <= steps; step++) {
    const groups: Group[] = [];
    while (groups.length < groupsPerStep) {
      const g = generators[0] <= generators[1] ? 0 : 1;
      const track = `generator ${g}`;
      const version = published.findLastIndex((at) => at <= generators[g]);
      if (version > used[g]) {
        used[g] = version;
        generators[g] = slice(track, "take weights", generators[g], around(18), { version });
      }
      generators[g] = slice(track, "prefill", generators[g], around(24), { prompts: 1 });
      for (let i = 0; i < slicesPerGroup; i++)
        generators[g] = slice(track, "decode", generators[g], around(decode), {
          rows: 8,
          steps: 16,
          version,
        });
      const v = verifiers[0] <= verifiers[1] ? 0 : 1;
      verifiers[v] = slice(`verifier ${v}`, "verify", Math.max(verifiers[v], generators[g] + 2), around(22), {
        completions: 8,
      });
      groups.push({ id: id++, from: { track, at: generators[g] - 1 }, scored: verifiers[v] });
    }
    const ready = Math.max(...groups.map(({ scored }) => scored));
    if (ready > trainer) slice("trainer", "wait for rollouts", trainer, ready - trainer, { step });
    const packed = slice("trainer", "pack", Math.max(ready, trainer), around(30), {
      step,
      microBatches: 4,
      fill: 0.91,
    });
    const long = around(train);
    let computed = packed;
    for (const microBatch of [1, 2]) {
      const details = { step, microBatch, tokens: 1560 };
      computed = slice("trainer", "forward", computed, 0.16 * long, details);
      computed = slice("trainer", "backward", computed, 0.3 * long, details);
    }
    computed = slice("trainer", "optimiser", computed, 0.06 * long, { step });
    computed = slice("trainer", "read back", computed, 0.02 * long, { step });
    trainer = slice("trainer", "publish", computed, around(38), { step, version: step });
    events.push({ kind: "mark", name: `version ${step}`, at: trainer });
    published.push(trainer);
    const to = { track: "trainer", at: packed + 0.016 * long };
    for (const group of groups)
      events.push({ kind: "arrow", name: `group ${group.id}`, from: group.from, to });
    // Nobody generates more than one version ahead.
    for (const g of [0, 1]) {
      const since = published[Math.max(0, step - 1)];
      if (since > generators[g])
        generators[g] = slice(`generator ${g}`, "wait", generators[g], since - generators[g]);
    }
  }
  return events;
}
