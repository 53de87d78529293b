/** Which of a run's controls can be used, by its kind and phase. */
import type { RunPhase } from "../state/records.ts";
import type { FeedKind } from "../state/run_feed.ts";

export interface ControlStates {
  /** What the main button does; null: nothing at the moment. */
  main: "play" | "pause" | "resume" | "continue" | null;
  step: boolean;
  stop: boolean;
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

/** @param stepsLeft the recipe asks for more steps than were made */
export function controlStates(kind: FeedKind, phase: RunPhase, stepsLeft = false): ControlStates {
  if (kind === "recorded") {
    const word = phase === "training" ? "playing" : phase === "done" ? "at its end" : "paused";
    return { main: phase === "training" ? "pause" : "play", step: phase !== "done", stop: false, word };
  }
  const over = stepsLeft ? "continue" : null;
  if (kind === "stored") return { main: over, step: false, stop: false, word: "stored" };
  return {
    main: isUnderWay(phase) || phase === "idle" ? mainUnderWay(phase) : over,
    step: phase === "paused" || phase === "training",
    stop: phase === "training" || phase === "paused" || phase === "pausing" || phase === "evaluating",
    word: phase === "done" && stepsLeft ? "stopped" : WORDS[phase],
  };
}
