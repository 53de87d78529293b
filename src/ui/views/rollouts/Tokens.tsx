/** A completion token by token: the choice of heat, the tokens, and the record of the one in view. */
import { useState } from "preact/hooks";
import type { RolloutRow } from "../../state/records.ts";
import type { HeatKind } from "./heat.ts";
import { Legend } from "./Legend.tsx";
import { activeToken, examine } from "./state.ts";
import { TokenRecord } from "./TokenRecord.tsx";
import { TokenStrip, tokenId } from "./TokenStrip.tsx";

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
      examine(row, Math.max(0, Math.min(last, to)));
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
      <TokenStrip row={row} kind={kind} onHover={setHovered} onKeyDown={onKeyDown} />
      <TokenRecord row={row} position={inView} />
    </>
  );
}
