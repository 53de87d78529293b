/** The master list: groups with their completions, best first. Only what is in sight is drawn. */
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import type { RolloutRow } from "../../state/records.ts";
import type { ShownGroup } from "./filter_scan.ts";
import { fixed, promptText } from "./format.ts";
import { meanReward } from "./group_index.ts";
import "./list.css";
import { ListLayout } from "./list_layout.ts";
import { PullBar } from "./PullBar.tsx";
import { pullOf } from "./why.ts";

interface GroupListProps {
  groups: readonly ShownGroup[];
  selected: number | null;
  /** Characters that all prompts begin with. */
  prefix: number;
  narrow: boolean;
  /** Steps are written beside the groups. */
  manySteps: boolean;
  onChoose(row: RolloutRow): void;
  /** Goes on to the completion itself. */
  onOpen(row: RolloutRow): void;
}

const METRICS = { wide: { header: 40, row: 30 }, narrow: { header: 44, row: 54 } };
const OVERSCAN = 200;
/** More of a completion than any column is wide. */
const SHOWN_CHARACTERS = 200;

const optionId = (id: number) => `rollouts-row-${id}`;
const verdictOf = ({ correct }: RolloutRow) =>
  correct === 1 ? "right" : correct === 0 ? "wrong" : "not judged";
const MARKS = { right: "✓", wrong: "✗", "not judged": "·" } as const;

/** Words for those who hear the row instead of seeing its columns. */
function Said({ text }: { text: string }) {
  return <span class="visually-hidden"> {text} </span>;
}

interface RowProps {
  row: RolloutRow;
  shown: ShownGroup;
  selected: boolean;
  top: number;
  height: number;
}

function Row({ row, shown, selected, top, height }: RowProps) {
  const pull = pullOf(row, shown.group);
  const verdict = verdictOf(row);
  const cut = row.finish_reason === "length";
  return (
    <div
      id={optionId(row.id)}
      role="option"
      aria-selected={selected}
      class="rollouts-row"
      style={{ top: `${top}px`, height: `${height}px` }}
      tabIndex={-1}
      data-id={row.id}
    >
      <span class={`rollouts-mark ${verdict}`}>
        <span aria-hidden="true">{MARKS[verdict]}</span>
        <Said text={`${verdict}, reward`} />
      </span>
      <span class="num rollouts-reward">{fixed(row.reward)}</span>
      <Said text={pull?.kind === "from-mean" ? "from the mean" : "advantage"} />
      <PullBar pull={pull} />
      <span class="mono rollouts-text">
        {row.completion.slice(0, SHOWN_CHARACTERS).replaceAll("\n", "↵")}
      </span>
      <span class="num rollouts-length">{row.tokens}</span>
      <Said text="tokens" />
      <span class={cut ? "rollouts-end cut" : "rollouts-end"}>{cut ? "cut" : "end"}</span>
    </div>
  );
}

interface HeaderProps {
  shown: ShownGroup;
  prefix: number;
  manySteps: boolean;
  top: number;
  height: number;
}

function Header({ shown: { group }, prefix, manySteps, top, height }: HeaderProps) {
  const text = promptText(group.rows[0].prompt);
  const right = group.rows.filter(({ correct }) => correct === 1).length;
  const judged = group.rows.filter(({ correct }) => correct !== null).length;
  return (
    <div
      class="rollouts-group"
      role="presentation"
      style={{ top: `${top}px`, height: `${height}px` }}
      title={text}
    >
      {manySteps && <span class="num soft rollouts-group-step">{group.step}</span>}
      <span class="rollouts-prompt">
        {prefix > 0 && "…"}
        {text.slice(prefix).trim().replaceAll("\n", " ")}
      </span>
      <span class="num soft rollouts-group-mean">
        {judged > 0 && `${right}/${judged} right · `}mean {fixed(meanReward(group.rows))}
      </span>
    </div>
  );
}

export function GroupList({ groups, selected, prefix, narrow, manySteps, onChoose, onOpen }: GroupListProps) {
  const box = useRef<HTMLDivElement>(null);
  const broughtIn = useRef<number | null>(null);
  const [view, setView] = useState({ top: 0, height: 800 });
  const metrics = narrow ? METRICS.narrow : METRICS.wide;
  const layout = useMemo(() => new ListLayout(groups, metrics), [groups, metrics]);
  const place = selected === null ? -1 : layout.placeOf(selected);

  const look = () => {
    const { scrollTop, clientHeight } = box.current ?? { scrollTop: 0, clientHeight: 800 };
    setView((old) =>
      old.top === scrollTop && old.height === clientHeight ? old : { top: scrollTop, height: clientHeight },
    );
  };
  useEffect(() => {
    const resized = new ResizeObserver(look);
    if (box.current) resized.observe(box.current);
    return () => resized.disconnect();
  }, []);
  // Before painting, so that a completion chosen elsewhere never shows at the wrong place. Where the list stands is known
  // from its events; asking the page would have it laid out at once.
  useLayoutEffect(() => {
    const list = box.current;
    // Once for each choice: whoever scrolled away since is not called back when rows arrive.
    if (!list || place < 0 || broughtIn.current === selected) return;
    broughtIn.current = selected;
    const { top, bottom } = layout.extentOf(place);
    const to = top < view.top ? top : Math.max(view.top, bottom - view.height);
    if (to === view.top) return;
    list.scrollTop = to;
    setView({ top: to, height: view.height });
  }, [place, selected, layout, view]);

  const go = (to: number) => {
    const row = layout.rows[Math.max(0, Math.min(layout.rows.length - 1, to))];
    if (row) onChoose(row);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const at = Math.max(0, place);
    const moves: Record<string, () => void> = {
      ArrowDown: () => go(event.shiftKey ? layout.neighbourGroup(at, 1) : place + 1),
      ArrowUp: () => go(event.shiftKey ? layout.neighbourGroup(at, -1) : place - 1),
      PageDown: () => go(layout.neighbourGroup(at, 1)),
      PageUp: () => go(layout.neighbourGroup(at, -1)),
      Home: () => go(0),
      End: () => go(layout.rows.length - 1),
      Enter: () => layout.rows[at] && onOpen(layout.rows[at]),
      " ": () => layout.rows[at] && onOpen(layout.rows[at]),
      ArrowRight: () => layout.rows[at] && onOpen(layout.rows[at]),
    };
    const move = moves[event.key];
    if (!move || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    move();
  };

  const items = layout.within(Math.max(0, view.top - OVERSCAN), view.height + 2 * OVERSCAN);
  const drawn = items.some(({ row }) => row && row.id === selected);
  return (
    <div
      ref={box}
      id="rollouts-list"
      class={`rollouts-list${narrow ? " narrow" : ""}`}
      role="listbox"
      tabIndex={0}
      aria-label="Completions by group, best first"
      aria-activedescendant={drawn && selected !== null ? optionId(selected) : undefined}
      onKeyDown={onKeyDown}
      onClick={(event) => {
        const option = (event.target as Element).closest<HTMLElement>("[data-id]");
        const row = layout.rows[layout.placeOf(Number(option?.dataset.id))];
        if (!row) return;
        box.current?.focus({ preventScroll: true });
        (narrow ? onOpen : onChoose)(row);
      }}
      onScroll={look}
    >
      <div role="presentation" class="rollouts-list-inner" style={{ height: `${layout.height}px` }}>
        {/* By place, not by completion: another step's rows fill the elements that are there, and scrolling moves none. */}
        {items.map(({ shown, row, top, height }) =>
          row ? (
            <Row key={top} row={row} shown={shown} selected={row.id === selected} top={top} height={height} />
          ) : (
            <Header key={top} shown={shown} prefix={prefix} manySteps={manySteps} top={top} height={height} />
          ),
        )}
      </div>
    </div>
  );
}
