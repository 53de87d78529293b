/** Play, pause, a single step, stop and save: for the run in view. */
import { Icon } from "../parts/Icon.tsx";
import { feed } from "../state/app.ts";
import { states as statesOf, stepRun, stopRun, toggleRun, trainingRun } from "./actions.ts";
import { isUnderWay } from "./controls.ts";
import { shownPlayer } from "./demo.ts";
import { SPEEDS } from "./player.ts";

const MAIN = {
  play: { icon: "play", label: "Play" },
  pause: { icon: "pause", label: "Pause" },
  resume: { icon: "play", label: "Go on" },
  continue: { icon: "play", label: "Go on" },
} as const;

export function Controls() {
  const run = feed.value;
  run.changed.value;
  const { main, step, stop, word } = statesOf();
  const player = shownPlayer();
  const over = run.kind === "stored" || (run.kind === "live" && !isUnderWay(run.phase.value));
  const { icon, label } = MAIN[main ?? "pause"];
  const busyElsewhere = main === "continue" && trainingRun() !== null;
  return (
    <fieldset class="controls" aria-label="Run">
      <span class="controls-word small soft">{word}</span>
      {!(over && main === null) && (
        <button
          type="button"
          class="button controls-main"
          disabled={main === null || busyElsewhere}
          title={busyElsewhere ? "Another run is training in this tab" : "Space"}
          onClick={toggleRun}
        >
          <Icon name={icon} /> {label}
        </button>
      )}
      {!over && (
        <button type="button" class="button" disabled={!step} title="S" onClick={stepRun}>
          <Icon name="step" /> Step
        </button>
      )}
      {run.kind === "live" && !over && (
        <button type="button" class="button" disabled={!stop} onClick={stopRun}>
          <Icon name="stop" /> Stop <span class="controls-save">and save</span>
        </button>
      )}
      {player && (
        <label class="controls-speed">
          <span class="visually-hidden">Speed of the recording</span>
          <select
            class="input"
            value={player.speed.value}
            onChange={(event) => {
              player.speed.value = Number(event.currentTarget.value);
            }}
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
