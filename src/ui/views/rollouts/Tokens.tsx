/** A completion token by token, coloured by the chosen heat, and the record of the token in view. */
import { Fragment } from "preact";
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import type { RolloutRow } from "../../state/records.ts";
import { tokenLabel, visibleText } from "./format.ts";
import { type HeatKind, heatCss, heatText, heatValues, SCALES, versionChanges } from "./heat.ts";
import { Legend } from "./Legend.tsx";
import { activeToken, numbers } from "./state.ts";
import { TokenRecord } from "./TokenRecord.tsx";

/** Tokens drawn at once; longer completions grow by as many a frame. */
const AT_ONCE = 500;

const tokenId = (position: number) => `rollouts-token-${position}`;

/** Grows from a first helping to `total`, so that no frame draws thousands of tokens. */
function useGrowing(total: number, row: RolloutRow): number {
  const [drawn, setDrawn] = useState({ row, count: AT_ONCE });
  const count = drawn.row === row ? drawn.count : AT_ONCE;
  useEffect(() => {
    if (count >= total) return;
    const timer = setTimeout(() => setDrawn({ row, count: count + AT_ONCE }), 16);
    return () => clearTimeout(timer);
  }, [count, total, row]);
  return Math.min(count, total);
}

interface StripProps {
  row: RolloutRow;
  kind: HeatKind;
  onHover(position: number | null): void;
  onKeyDown(event: KeyboardEvent): void;
}

function Strip({ row, kind, onHover, onKeyDown }: StripProps) {
  const box = useRef<HTMLDivElement>(null);
  const texts = row.token_texts;
  const count = useGrowing(texts.length, row);
  const withNumbers = numbers.value;
  const tokens = useMemo(() => {
    const values = heatValues(kind, row) ?? [];
    const changes = versionChanges(row.versions ?? []);
    return texts.slice(0, count).map((text, i) => {
      const change = changes.get(i);
      const label = `${visibleText(text)}, token ${i + 1}, ${SCALES[kind].label.toLowerCase()} ${heatText(kind, values[i])}${change ? `, weights changed ${change}` : ""}`;
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
            aria-label={label}
            aria-selected="false"
            tabIndex={-1}
            data-position={i}
            class="rollouts-token"
            style={{ background: heatCss(kind, values[i]) }}
          >
            {tokenLabel(text)}
            {withNumbers && <span class="num rollouts-token-number">{heatText(kind, values[i])}</span>}
          </span>
          {text.includes("\n") && <br />}
        </Fragment>
      );
    });
  }, [row, kind, count, withNumbers, texts]);

  // The mark moves without drawing thousands of tokens anew; newly drawn tokens need it too.
  const active = activeToken.value;
  useLayoutEffect(() => {
    const token = box.current?.querySelector(`[data-position="${active}"]`);
    token?.setAttribute("aria-selected", "true");
    return () => token?.setAttribute("aria-selected", "false");
  }, [active, tokens]);

  const positionOf = (event: Event) => {
    const token = (event.target as Element).closest<HTMLElement>("[data-position]");
    return token ? Number(token.dataset.position) : null;
  };
  return (
    <div
      ref={box}
      id="rollouts-tokens"
      class={`rollouts-tokens mono${withNumbers ? " with-numbers" : ""}`}
      role="listbox"
      tabIndex={0}
      aria-orientation="horizontal"
      aria-label={`Tokens, coloured by ${SCALES[kind].label.toLowerCase()}`}
      aria-activedescendant={active < count ? tokenId(active) : undefined}
      onKeyDown={onKeyDown}
      onClick={(event) => {
        const position = positionOf(event);
        if (position !== null) activeToken.value = position;
        box.current?.focus({ preventScroll: true });
      }}
      onMouseOver={(event) => onHover(positionOf(event))}
      onMouseLeave={() => onHover(null)}
      onFocus={() => onHover(null)}
    >
      {tokens}
    </div>
  );
}

interface TokensProps {
  row: RolloutRow;
  kind: HeatKind;
  /** Goes to the completion before or after. */
  onMove(direction: 1 | -1): void;
  /** Goes back to the list. */
  onLeave(): void;
}

export function Tokens({ row, kind, onMove, onLeave }: TokensProps) {
  const [hovered, setHovered] = useState<number | null>(null);
  const last = row.token_texts.length - 1;
  const active = Math.max(0, Math.min(last, activeToken.value));
  const onKeyDown = (event: KeyboardEvent) => {
    const go = (to: number) => {
      activeToken.value = Math.max(0, Math.min(last, to));
      setHovered(null);
      document.getElementById(tokenId(activeToken.value))?.scrollIntoView({ block: "nearest" });
    };
    const moves: Record<string, () => void> = {
      ArrowRight: () => go(active + 1),
      ArrowLeft: () => go(active - 1),
      Home: () => go(0),
      End: () => go(last),
      ArrowDown: () => onMove(1),
      ArrowUp: () => onMove(-1),
      Escape: onLeave,
    };
    const move = moves[event.key];
    if (!move || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    move();
  };
  const inView = hovered === null ? active : Math.min(last, hovered);
  return (
    <>
      <Legend row={row} shown={kind} />
      <Strip row={row} kind={kind} onHover={setHovered} onKeyDown={onKeyDown} />
      <TokenRecord row={row} position={inView} />
    </>
  );
}
