/** The five views as a row of tabs; arrows move between them. */
import type { ViewName } from "../state/app.ts";
import { openView, shownViews } from "./navigation.ts";
import { viewTitle } from "./shortcuts.ts";

const MOVES: Record<string, (at: number, count: number) => number> = {
  ArrowRight: (at, count) => (at + 1) % count,
  ArrowLeft: (at, count) => (at + count - 1) % count,
  Home: () => 0,
  End: (_, count) => count - 1,
};

export function Tabs({ chosen }: { chosen: ViewName | undefined }) {
  const names = shownViews();
  const move = (event: KeyboardEvent) => {
    const next = MOVES[event.key]?.(chosen ? names.indexOf(chosen) : 0, names.length);
    if (next === undefined) return;
    event.preventDefault();
    openView(names[next]);
    document.getElementById(`tab-${names[next]}`)?.focus();
  };
  return (
    <div class="tabs" role="tablist" aria-label="Views" onKeyDown={move}>
      {names.map((name) => (
        <button
          key={name}
          type="button"
          role="tab"
          id={`tab-${name}`}
          class="tab"
          aria-selected={chosen === name}
          aria-controls="view-panel"
          tabIndex={chosen === name ? 0 : -1}
          onClick={() => openView(name)}
        >
          {viewTitle(name)}
        </button>
      ))}
    </div>
  );
}
