/** Turn while it runs: three settings that reach the run which trains in this tab, from its next step on. */
import { useEffect, useRef, useState } from "preact/hooks";
import { describeBounds, findField } from "../../../config/describe.ts";
import { live } from "../../state/app.ts";
import type { RunFeed } from "../../state/run_feed.ts";
import { showNumber } from "./fields.ts";
import { SLIDER_STEPS, slideFrom, toSlider } from "./slider.ts";
import { canTurn, inBounds, KNOBS, type Knob, knobValue, onTurn } from "./turn.ts";

/** A slider under the finger tells many values; the run is told the one it rests at. */
const REST_MS = 250;

function Turned({ knob, feed }: { knob: Knob; feed: RunFeed }) {
  const { key, path, label, scale, stage } = knob;
  // Read so that this is drawn again: its properties stay the same while the run goes on.
  feed.changed.value;
  const held = knobValue(key, feed.recipe, feed.turned);
  const [asked, setAsked] = useState<number | null>(null);
  const [refused, setRefused] = useState(false);
  const input = useRef<HTMLInputElement>(null);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const shown = asked ?? held;
  const text = shown === null ? "" : String(shown);
  // What was asked for is over once the run says that it holds.
  useEffect(() => setAsked(null), [held]);
  useEffect(() => {
    if (input.current && document.activeElement !== input.current) input.current.value = text;
  }, [text]);
  useEffect(() => () => clearTimeout(timer.current), []);
  const turnTo = (value: number) => {
    setRefused(!inBounds(path, value));
    clearTimeout(timer.current);
    if (!inBounds(path, value)) return;
    setAsked(value);
    timer.current = setTimeout(() => onTurn.peek()({ [key]: value }), REST_MS);
  };
  const row = feed.turned.findLast(({ knobs }) => knobs[key] !== undefined);
  const note =
    asked !== null && asked !== held
      ? "from the next step on"
      : row
        ? `turned after step ${row.step}`
        : "as the run began";
  const id = `turn-${key}`;
  const field = findField(path);
  return (
    <div class="settings-turn" style={{ "--stage": `var(--${stage})` }}>
      <label for={id} class="settings-label">
        {label}
      </label>
      <input
        ref={input}
        id={id}
        class="input settings-number num"
        type="number"
        inputMode="decimal"
        step="any"
        defaultValue={text}
        aria-describedby={`${id}-note`}
        aria-invalid={refused || undefined}
        onInput={({ currentTarget }) => {
          if (currentTarget.value !== "") turnTo(currentTarget.valueAsNumber);
        }}
      />
      <input
        type="range"
        class="settings-slider"
        min={0}
        max={SLIDER_STEPS}
        step={1}
        value={toSlider(shown ?? scale.min, scale)}
        style={{ "--part": `${(toSlider(shown ?? scale.min, scale) / SLIDER_STEPS) * 100}%` }}
        aria-label={`${label}, as a slider`}
        aria-valuetext={text}
        onInput={({ currentTarget }) => {
          const value = slideFrom(shown ?? scale.min, Number(currentTarget.value), scale);
          if (input.current) input.current.value = String(value);
          turnTo(value);
        }}
      />
      <p class={`small ${refused ? "settings-mistake" : "soft"}`} id={`${id}-note`} aria-live="polite">
        {refused && field
          ? `It takes ${describeBounds(field)}; the run keeps ${held === null ? "what it has" : showNumber(held)}`
          : note}
      </p>
    </div>
  );
}

export function TurnPanel() {
  const feed = live.value;
  if (feed === null || !canTurn(feed.phase.value)) return null;
  feed.changed.value;
  return (
    <section class="card settings-section" aria-labelledby="settings-turn-title">
      <header class="settings-section-head">
        <h3 id="settings-turn-title">Turn while it runs</h3>
        <p class="small soft">
          These reach the run <code>{feed.name}</code> before its next step, and its charts mark them. All
          that follows below is for the next run.
        </p>
      </header>
      <div class="settings-turns">
        {KNOBS.map((knob) => (
          <Turned key={`${feed.name} ${knob.key}`} knob={knob} feed={feed} />
        ))}
      </div>
    </section>
  );
}
