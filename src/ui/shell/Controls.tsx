/** Play, pause, a single step, stop and save: for the run in view. */
import { Icon } from "../parts/Icon.tsx";
import { feed } from "../state/app.ts";
import { stepRun, stopRun, toggleRun } from "./actions.ts";
import { controlStates } from "./controls.ts";
import { shownPlayer } from "./demo.ts";
import { SPEEDS } from "./player.ts";

const MAIN = {
  play: { icon: "play", label: "Play" },
  pause: { icon: "pause", label: "Pause" },
  resume: { icon: "play", label: "Go on" },
} as const;

export function Controls() {
  const run = feed.value;
  const states = controlStates(run.kind, run.phase.value);
  const player = shownPlayer();
  const main = MAIN[states.main ?? (run.kind === "live" ? "pause" : "play")];
  return (
    <fieldset class="controls" aria-label="Run">
      <span class={`controls-word small soft ${states.main === "pause" ? "is-on" : ""}`}>{states.word}</span>
      <button
        type="button"
        class="button controls-main"
        disabled={states.main === null}
        title="Space"
        onClick={toggleRun}
      >
        <Icon name={main.icon} /> {main.label}
      </button>
      <button type="button" class="button" disabled={!states.step} title="S" onClick={stepRun}>
        <Icon name="step" /> Step
      </button>
      {run.kind === "live" && (
        <button type="button" class="button" disabled={!states.stop} onClick={stopRun}>
          <Icon name="stop" /> Stop and save
        </button>
      )}
      {player && (
        <label class="controls-speed">
          <span class="visually-hidden">Speed of the recording</span>
          <select
            class="input"
            value={player.speed.value}
            onChange={(event) => (player.speed.value = Number(event.currentTarget.value))}
          >
            {SPEEDS.map((speed) => (
              <option key={speed} value={speed}>
                {speed}×
              </option>
            ))}
          </select>
        </label>
      )}
    </fieldset>
  );
}
