/** Every completion with its reward: groups by step, a completion by its tokens, and what changed since version 0. */
import { useEffect, useLayoutEffect, useMemo, useRef } from "preact/hooks";
import { pressable } from "../../parts/pressable.ts";
import { feed, selectedRollout } from "../../state/app.ts";
import type { RolloutRow } from "../../state/records.ts";
import type { RunFeed } from "../../state/run_feed.ts";
import { numberField } from "../learning/recipe_fields.ts";
import { Detail } from "./Detail.tsx";
import { Evaluations } from "./Evaluations.tsx";
import { Filters, Shown } from "./Filters.tsx";
import { type ShownGroup, shownGroups } from "./filter_scan.ts";
import { promptText, sharedPrefix } from "./format.ts";
import { GroupList } from "./GroupList.tsx";
import { facetsOf, rowTest } from "./row_filter.ts";
import "./rollouts.css";
import { NO_FILTER } from "./row_filter.ts";
import { StepPicker } from "./StepPicker.tsx";
import {
  type Browsed,
  browse,
  choose,
  detailOpen,
  filter,
  isOwnChoice,
  page,
  scope,
  stepChoice,
  turnTo,
} from "./state.ts";
import { useNarrow } from "./use_narrow.ts";
import { useScan } from "./use_scan.ts";
import { weightsOf } from "./why.ts";

/** Prompts looked at for what they have in common. */
const COMPARED_PROMPTS = 64;

/** Characters that the prompts of groups have in common, looked at in a number of them, from first to last. */
function prefixOf(groups: readonly { rows: readonly RolloutRow[] }[]): number {
  const stride = Math.max(1, Math.ceil(groups.length / COMPARED_PROMPTS));
  return sharedPrefix(
    groups.filter((_, i) => i % stride === 0).map(({ rows: [first] }) => promptText(first.prompt)),
  );
}

const focus = (id: string) => document.getElementById(id)?.focus();

/** A completion that another view points at is shown, whatever step and filters were chosen here. */
function useDeepLink({ index, trainer }: Browsed, size: number): void {
  const id = selectedRollout.value;
  const followed = useRef<number | null>(null);
  useEffect(() => {
    if (id === null) followed.current = null;
    if (id === null || followed.current === id || size === 0) return;
    const row = index.rowOf(id);
    if (!row) return;
    followed.current = id;
    if (!isOwnChoice(id)) detailOpen.value = true;
    page.value = "groups";
    stepChoice.value = row.step;
    if (!rowTest(filter.value, { ranges: index.ranges, trainer })(row)) filter.value = NO_FILTER;
  }, [id, index, trainer, size]);
}

function stepInView(steps: readonly number[]): number {
  const newest = steps[steps.length - 1];
  const chosen = stepChoice.value;
  return chosen !== "newest" && steps.includes(chosen) ? chosen : newest;
}

interface BrowserProps {
  run: RunFeed;
  /** A component that reads signals is drawn anew only for new props, and rows arrive within the same run. */
  changed: number;
}

function Browser({ run }: BrowserProps) {
  const browsed = browse(run);
  const { index, trainer } = browsed;
  const { size } = index;
  const narrow = useNarrow();
  useLayoutEffect(() => turnTo(run.name), [run.name]);
  useDeepLink(browsed, size);
  const weights = useMemo(() => weightsOf(run.recipe), [run]);
  const step = stepInView(index.steps);
  const wholeRun = scope.value === "run";
  const scan = useScan(browsed, filter.value, wholeRun);
  const entry = index.stepEntry(step);
  // The index changes in place; the number of rows tells.
  const stepGroups = useMemo(
    () => shownGroups(entry?.groups ?? [], filter.value, { ranges: index.ranges, trainer }),
    [entry, entry?.rows, filter.value, index, filter.value.disagreement && index.rangesVersion, trainer],
  );
  // The scan adds to its groups in place; a new array tells the list of it.
  const runGroups = useMemo<readonly ShownGroup[]>(
    () => (scan ? [...scan.shown] : []),
    [scan, scan?.rows, scan?.shown],
  );
  const groups = wholeRun ? runGroups : stepGroups;
  const rows = useMemo(() => groups.flatMap(({ rows: shown }) => shown), [groups]);
  // What all prompts of the run begin with; where they share nothing, what those in view do.
  const prefix = useMemo(
    () => prefixOf(index.groups) || prefixOf(groups.map(({ group }) => group)),
    [groups],
  );
  const hasAdvantages = (entry?.withAdvantage ?? 0) > 0;
  const facets = facetsOf(index, wholeRun ? index.steps : [step], trainer);

  const pointed = selectedRollout.value === null ? undefined : index.rowOf(selectedRollout.value);
  const current = pointed ?? rows[0];
  const place = rows.indexOf(current);
  const move = (direction: 1 | -1) => {
    const next = rows[place + direction];
    if (next) choose(next);
  };
  const open = (row: RolloutRow) => {
    choose(row);
    detailOpen.value = true;
    requestAnimationFrame(() => focus(narrow ? "rollouts-back" : "rollouts-tokens"));
  };
  const leave = () => {
    detailOpen.value = false;
    requestAnimationFrame(() => focus("rollouts-list"));
  };
  const showDetail = current !== undefined && (!narrow || detailOpen.value);
  return (
    <div class="rollouts-columns">
      <div class="rollouts-tools" hidden={narrow && showDetail}>
        <StepPicker index={index} step={step} size={size} />
        <Filters facets={facets} />
      </div>
      <div class="rollouts-master" hidden={narrow && showDetail}>
        <div class="card rollouts-list-card">
          <Shown
            run={run.name}
            rows={rows}
            groups={groups.length}
            of={wholeRun ? size : (entry?.rows ?? 0)}
            scanning={scan !== null && !scan.done}
          />
          <div class="rollouts-captions soft" aria-hidden="true">
            <span class="rollouts-reward">Reward</span>
            <span class="rollouts-caption-pull">{hasAdvantages ? "Advantage" : "From the mean"}</span>
            <span class="rollouts-text">Completion</span>
            <span class="rollouts-length">Tokens</span>
            <span class="rollouts-end" />
          </div>
          {groups.length > 0 ? (
            <GroupList
              groups={groups}
              selected={current?.id ?? null}
              prefix={prefix}
              narrow={narrow}
              manySteps={wholeRun}
              onChoose={choose}
              onOpen={open}
            />
          ) : (
            <p class="soft rollouts-none">
              {scan && !scan.done
                ? "Looking through the run…"
                : `No completion of ${wholeRun ? "this run" : `step ${step}`} passes the filters.`}
            </p>
          )}
        </div>
      </div>
      {showDetail && (
        <div class="rollouts-aside">
          {narrow && (
            <div class="rollouts-back">
              <button id="rollouts-back" type="button" class="button" onClick={leave}>
                ‹ All completions
              </button>
              <button
                type="button"
                class="button"
                aria-label="Completion before"
                {...pressable(place > 0, () => move(-1))}
              >
                ↑
              </button>
              <button
                type="button"
                class="button"
                aria-label="Completion after"
                {...pressable(place >= 0 && place < rows.length - 1, () => move(1))}
              >
                ↓
              </button>
            </div>
          )}
          <Detail
            browsed={browsed}
            row={current}
            prefix={prefix}
            weights={weights}
            onMove={move}
            onLeave={leave}
            onChoose={choose}
          />
        </div>
      )}
    </div>
  );
}

const PAGES = [
  ["groups", "By group"],
  ["evaluation", "Before and now"],
] as const;

export function Rollouts() {
  const run = feed.value;
  const changed = run.changed.value;
  const empty = run.rollouts.length === 0;
  return (
    <section class="rollouts" aria-labelledby="rollouts-title">
      <header class="rollouts-head">
        <h2 id="rollouts-title">Rollouts</h2>
        <div class="rollouts-segments">
          {PAGES.map(([name, label]) => (
            <button
              key={name}
              type="button"
              aria-pressed={page.value === name}
              onClick={() => {
                page.value = name;
              }}
            >
              {label}
            </button>
          ))}
        </div>
      </header>
      {page.value === "evaluation" ? (
        <Evaluations evaluations={run.evaluations} every={numberField(run.recipe, "evaluation.every") ?? 0} />
      ) : empty ? (
        <div class="card rollouts-empty">
          <p>No completions yet.</p>
          <p class="soft">They appear here with the first step that trains on them.</p>
        </div>
      ) : (
        <Browser key={run.name} run={run} changed={changed} />
      )}
    </section>
  );
}
