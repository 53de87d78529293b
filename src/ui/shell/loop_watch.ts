/** Who waits in the loop and who is waited for, over the last seconds, so that labels do not flicker. */
import { type LoopPulse, STAGES, type StageActivity, type StageName } from "../state/records.ts";

export type StageStatus = "works" | "waits" | "bottleneck" | "rests";

/** Shares of the last seconds, 0 to 1. */
type Shares = Record<StageActivity, number>;

export interface LoopStatus {
  stages: Record<StageName, StageStatus>;
  /** The stage that the others wait for, if one is. */
  bottleneck: StageName | null;
  /** One sentence, of these seconds: the timeline tells of the last minute. Empty before anything is known. */
  sentence: string;
}

/** Tasks and weights are at hand whenever they are asked for. */
const WORKING: readonly StageName[] = ["generator", "verifier", "trainer"];
/** What was seen counts less by half every so many milliseconds. */
const HALF_LIFE_MS = 2500;
/** A label comes above the first share and goes below the second. */
const COMES = 0.55;
const GOES = 0.4;
/** How much more one of trainer and generator must wait than the other for the loop to have a bottleneck. */
const MARGIN = { comes: 0.15, goes: 0.08 };

export class LoopWatch {
  private readonly shares = new Map<StageName, Shares>();
  private waits = new Set<StageName>();
  private bottleneck: StageName | null = null;

  /** Takes in what the stages did for some time. */
  observe({ activity }: LoopPulse, ms: number): LoopStatus {
    const kept = 0.5 ** (ms / HALF_LIFE_MS);
    for (const stage of STAGES) {
      // Nothing is said of a stage before it was seen for a while.
      const shares = this.shares.get(stage) ?? { busy: 0, waiting: 0, idle: 1 };
      for (const kind of ["busy", "waiting", "idle"] as const)
        shares[kind] = shares[kind] * kept + (kind === activity[stage] ? 1 - kept : 0);
      this.shares.set(stage, shares);
    }
    this.judge();
    return this.status();
  }

  private of(stage: StageName, kind: StageActivity): number {
    return this.shares.get(stage)?.[kind] ?? 0;
  }

  private judge(): void {
    for (const stage of WORKING) {
      const share = this.of(stage, "waiting");
      if (share > COMES) this.waits.add(stage);
      else if (share < GOES) this.waits.delete(stage);
    }
    const lead = this.of("trainer", "waiting") - this.of("generator", "waiting");
    const busierThan = (stage: StageName, other: StageName) =>
      this.of(stage, "busy") > this.of(other, "busy") + 0.1;
    if (lead > MARGIN.comes) this.bottleneck = busierThan("verifier", "generator") ? "verifier" : "generator";
    else if (lead < -MARGIN.comes)
      this.bottleneck = busierThan("verifier", "trainer") ? "verifier" : "trainer";
    else if (Math.abs(lead) < MARGIN.goes) this.bottleneck = null;
  }

  private status(): LoopStatus {
    const { bottleneck } = this;
    const stages = {} as Record<StageName, StageStatus>;
    for (const stage of STAGES) {
      if (stage === bottleneck) stages[stage] = "bottleneck";
      else if (this.waits.has(stage)) stages[stage] = "waits";
      else stages[stage] = this.of(stage, "idle") > COMES ? "rests" : "works";
    }
    return { stages, bottleneck, sentence: this.sentence() };
  }

  private sentence(): string {
    const { bottleneck } = this;
    if (bottleneck === null) {
      if (this.waits.has("trainer") && this.waits.has("generator"))
        return "Generator and trainer wait for each other in turns.";
      return this.of("trainer", "busy") > 0.2 ? "Generator and trainer keep pace with each other." : "";
    }
    const waiter: StageName = bottleneck === "trainer" ? "generator" : "trainer";
    // In tens: a number that changes every second is not read.
    const waiting = this.of(waiter, "waiting");
    const tenths = Math.round((10 * waiting) / (waiting + this.of(waiter, "busy"))) * 10;
    return `Right now the ${waiter} waits ${tenths}\u00a0% of the time for the ${bottleneck}.`;
  }
}
