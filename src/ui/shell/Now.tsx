/** The run at this moment: its reward, one problem with its answers, and what to do next. */

import { decimal, percent } from "../parts/format.ts";
import { Sparkline } from "../parts/Sparkline.tsx";
import { feed, hidden } from "../state/app.ts";
import { demo, demoTrouble, shownPlayer } from "./demo.ts";
import { ExampleCard } from "./ExampleCard.tsx";
import { shownView } from "./navigation.ts";
import { currentRow, rewardsOf, solvedShares } from "./now.ts";
import { Scrubber } from "./Scrubber.tsx";
import { stepsAskedFor } from "./strip_stages.ts";
import { TrainHere } from "./TrainHere.tsx";
import "./now.css";

function changeClass(before: number | null, after: number | null): string {
  if (after === null) return "soft";
  if (before === null || after === before) return "";
  return after > before ? "now-gain" : "now-loss";
}

export function Now() {
  const run = feed.value;
  // Read so that this is drawn again when rows came.
  run.changed.value;
  const player = shownPlayer();
  const row = currentRow(run.steps);
  const length = player?.length ?? Math.max(stepsAskedFor(run.recipe), run.steps.length);
  // Where all views are hidden there is room for the problem.
  const whole = (shownView() ?? "learning") === "learning";
  const { before, after } = solvedShares(run.evaluations);
  return (
    <section class={`now ${whole ? "" : "is-compact"}`} aria-labelledby="now-title">
      <h2 id="now-title" class="visually-hidden">
        The run at this moment
      </h2>
      <div class="now-learning">
        <p class="now-caption">
          <span>
            <span class="now-label">Reward</span>{" "}
            <span class="soft now-meaning">the mean mark of its answers, from 0 to 1</span>
          </span>
          <span class="num soft">
            step {row?.step ?? 0} of {length}
          </span>
        </p>
        <div class="now-figure">
          <p class="now-number num">{row ? decimal(row.reward ?? 0) : "–"}</p>
          <div class="now-line">
            <Sparkline values={rewardsOf(run.steps)} length={length + 1} />
            {player && <Scrubber player={player} />}
          </div>
        </div>
        <p class="now-solved small">
          <span class="soft">Held-out problems solved:</span>{" "}
          <span class="num">
            <b>{before === null ? "–" : percent(before)}</b> before,{" "}
            <b class={changeClass(before, after)}>{after === null ? "…" : percent(after)}</b> after
          </span>
        </p>
      </div>
      {whole && <ExampleCard run={run} />}
      {!hidden.value.has("controls") && <TrainHere />}
      {demo.value === null && demoTrouble.value && (
        <p class="small soft now-trouble">{demoTrouble.value} You can train all the same.</p>
      )}
    </section>
  );
}
