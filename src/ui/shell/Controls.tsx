/** Play, pause, a single step, stop and save: for the run in view. */
import { Icon } from "../parts/Icon.tsx";
import { pressable } from "../parts/pressable.ts";
import { feed } from "../state/app.ts";
import { goOn, states as statesOf, stepRun, stopRun, toggleRun, trainingRun } from "./actions.ts";
import { isUnderWay } from "./controls.ts";
import { shownPlayer } from "./demo.ts";
import { SPEEDS } from "./player.ts";

const MAIN = {
  play: { icon: "play", label: "Play" },
  pause: { icon: "pause", label: "Pause" },
  resume: { icon: "play", label: "Go on" },
  continue: { icon: "play", label: "Go on" },
} as const;
const BUSY = "Another run is training in this tab";

export function Controls() {
  const run = feed.value;
  run.changed.value;
  const { main, step, stop, goOn: canGoOn, word } = statesOf();
  const player = shownPlayer();
  const over = run.kind === "live" && !isUnderWay(run.phase.value);
  const { icon, label } = MAIN[main ?? (run.kind === "live" ? "pause" : "play")];
  const busyElsewhere = trainingRun() !== null && trainingRun() !== run;
  return (
    <fieldset class="controls" aria-label="Run">
      <span class="controls-word small soft">{word}</span>
      {!(over && main === null) && (
        <button
          type="button"
          class="button controls-main"
          title={main === "continue" && busyElsewhere ? BUSY : "Space"}
          {...pressable(main !== null && !(main === "continue" && busyElsewhere), toggleRun)}
        >
          <Icon name={icon} /> {label}
        </button>
      )}
      {!over && (
        <button type="button" class="button" title="S" {...pressable(step, stepRun)}>
          <Icon name="step" /> Step
        </button>
      )}
      {canGoOn && (
        <button
          type="button"
          class="button"
          title={busyElsewhere ? BUSY : "Trains on from the newest checkpoint"}
          {...pressable(!busyElsewhere, goOn)}
        >
          Go on
        </button>
      )}
      {run.kind === "live" && !over && (
        <button type="button" class="button" {...pressable(stop, stopRun)}>
          <Icon name="stop" /> Stop <span class="controls-save">and save</span>
        </button>
      )}
      {player && (
        <label class="controls-speed">
          <span class="visually-hidden">Speed of the replay</span>
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
