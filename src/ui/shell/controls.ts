/** Which of a run's controls can be used, by its kind and phase. */
import type { RunPhase } from "../state/records.ts";
import type { FeedKind } from "../state/run_feed.ts";

export interface ControlStates {
  /** What the main button does; null: nothing at the moment. */
  main: "play" | "pause" | "resume" | "continue" | null;
  step: boolean;
  stop: boolean;
  /** It can train on from where it is stored, which the main button does not do. */
  goOn: boolean;
  /** What the run is doing, in one or two words. */
  word: string;
}

const WORDS: Record<RunPhase, string> = {
  idle: "not started",
  loading: "loading",
  starting: "starting",
  evaluating: "evaluating",
  training: "training",
  pausing: "pausing",
  paused: "paused",
  stopping: "stopping",
  done: "finished",
  failed: "failed",
};

export function isUnderWay(phase: RunPhase): boolean {
  return phase !== "idle" && phase !== "done" && phase !== "failed";
}

function mainUnderWay(phase: RunPhase): ControlStates["main"] {
  if (phase === "training") return "pause";
  return phase === "paused" || phase === "pausing" ? "resume" : null;
}

/** Phases in which a run can be told to end: it does so as soon as it has begun, or after the step. */
const STOPPABLE: readonly RunPhase[] = ["loading", "starting", "evaluating", "training", "pausing", "paused"];

/** What a run has come to. */
export interface RunReach {
  /** One that is over has steps to show. */
  playable?: boolean;
  /** The browser keeps it. */
  stored?: boolean;
}

/** @param stepsLeft the recipe asks for more steps than were made */
export function controlStates(
  kind: FeedKind,
  phase: RunPhase,
  stepsLeft = false,
  { playable = true, stored = true }: RunReach = {},
): ControlStates {
  const over = stepsLeft && stored ? "continue" : null;
  if (kind !== "live") {
    const atEnd = kind === "stored" ? "stored" : "at its end";
    const word = phase === "training" ? "playing" : phase === "done" ? atEnd : "paused";
    return {
      main: !playable ? null : phase === "training" ? "pause" : "play",
      step: phase !== "done",
      stop: false,
      goOn: kind === "stored" && stepsLeft && phase === "done",
      word,
    };
  }
  return {
    main: isUnderWay(phase) || phase === "idle" ? mainUnderWay(phase) : over,
    step: phase === "paused" || phase === "training",
    stop: STOPPABLE.includes(phase),
    goOn: false,
    word: phase === "done" && stepsLeft ? "stopped" : WORDS[phase],
  };
}
