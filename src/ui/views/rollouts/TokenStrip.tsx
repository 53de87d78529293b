/** The tokens of a completion as running text, each on its heat colour. */
import { Fragment, type VNode } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { RolloutRow } from "../../state/records.ts";
import { tokenLabel } from "./format.ts";
import { type HeatKind, heatCss, heatText, heatValues, SCALES, versionChanges } from "./heat.ts";
import { activeToken, examine, numbers } from "./state.ts";

/** Tokens are drawn in blocks, and a few blocks at once, so that no frame draws thousands. */
const BLOCK = 200;
const BLOCKS_AT_ONCE = 2;

export const tokenId = (position: number) => `rollouts-token-${position}`;

interface BlockProps {
  row: RolloutRow;
  kind: HeatKind;
  withNumbers: boolean;
  from: number;
}

function Block({ row, kind, withNumbers, from }: BlockProps) {
  const values = heatValues(kind, row) ?? [];
  // One token further back, so that a change at the block's edge is seen.
  const start = Math.max(0, from - 1);
  const changes = versionChanges((row.versions ?? []).slice(start, from + BLOCK));
  const name = SCALES[kind].label.toLowerCase();
  return (
    <>
      {row.token_texts.slice(from, from + BLOCK).map((text, k) => {
        const i = from + k;
        const change = changes.get(i - start);
        const value = heatText(kind, values[i]);
        return (
          <Fragment key={i}>
            {change && (
              <span class="rollouts-change num" aria-hidden="true">
                {change}
              </span>
            )}
            <span
              id={tokenId(i)}
              role="option"
              aria-label={`${tokenLabel(text)}, token ${i + 1}, ${name} ${value}${change ? `, weights changed ${change}` : ""}`}
              aria-selected="false"
              tabIndex={-1}
              data-position={i}
              data-value={withNumbers ? value : undefined}
              class="rollouts-token"
              style={{ background: heatCss(kind, values[i]) }}
            >
              {tokenLabel(text)}
            </span>
            {text.includes("\n") && <br />}
          </Fragment>
        );
      })}
    </>
  );
}

/**
 * Blocks as they are drawn by now. A block that stays as it is keeps its node, which Preact then leaves alone; after
 * another heat was chosen, blocks are painted anew a few at a time.
 */
function useBlocks(row: RolloutRow, kind: HeatKind, withNumbers: boolean): readonly VNode[] {
  const drawn = useRef<{ row: RolloutRow | null; nodes: VNode[]; looks: string[] }>({
    row: null,
    nodes: [],
    looks: [],
  });
  const [, redraw] = useState(0);
  if (drawn.current.row !== row) drawn.current = { row, nodes: [], looks: [] };
  const { nodes, looks } = drawn.current;
  const look = `${kind} ${withNumbers}`;
  const blocks = Math.ceil(row.token_texts.length / BLOCK);
  let left = BLOCKS_AT_ONCE;
  for (let b = 0; b < blocks && left > 0; b++) {
    if (looks[b] === look) continue;
    nodes[b] = <Block key={b} row={row} kind={kind} withNumbers={withNumbers} from={b * BLOCK} />;
    looks[b] = look;
    left--;
  }
  const painted = looks.filter((is) => is === look).length;
  useEffect(() => {
    if (painted === blocks) return;
    const timer = setTimeout(() => redraw((n) => n + 1), 16);
    return () => clearTimeout(timer);
  }, [painted, blocks, row, look]);
  return nodes.slice();
}

interface TokenStripProps {
  row: RolloutRow;
  kind: HeatKind;
  onHover(position: number | null): void;
  onKeyDown(event: KeyboardEvent): void;
}

function positionOf(event: Event): number | null {
  const token = (event.target as Element).closest<HTMLElement>("[data-position]");
  return token ? Number(token.dataset.position) : null;
}

export function TokenStrip({ row, kind, onHover, onKeyDown }: TokenStripProps) {
  const box = useRef<HTMLDivElement>(null);
  const withNumbers = numbers.value;
  const active = activeToken.value;
  const blocks = useBlocks(row, kind, withNumbers);
  const isDrawn = active < blocks.length * BLOCK;
  // The mark moves without drawing thousands of tokens anew; blocks painted anew need it too, hence after each drawing.
  useLayoutEffect(() => {
    const token = isDrawn ? document.getElementById(tokenId(active)) : null;
    token?.setAttribute("aria-selected", "true");
    return () => token?.setAttribute("aria-selected", "false");
  });
  return (
    <div
      ref={box}
      id="rollouts-tokens"
      class={`rollouts-tokens mono${withNumbers ? " with-numbers" : ""}`}
      role="listbox"
      tabIndex={0}
      aria-orientation="horizontal"
      aria-label={`Tokens, coloured by ${SCALES[kind].label.toLowerCase()}`}
      aria-activedescendant={isDrawn ? tokenId(active) : undefined}
      onKeyDown={onKeyDown}
      onClick={(event) => {
        const position = positionOf(event);
        if (position !== null) examine(row, position);
        box.current?.focus({ preventScroll: true });
      }}
      onMouseOver={(event) => onHover(positionOf(event))}
      onMouseLeave={() => onHover(null)}
      onFocus={() => onHover(null)}
    >
      {blocks}
    </div>
  );
}
