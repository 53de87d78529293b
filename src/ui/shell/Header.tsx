/** Name, one sentence, which run is in view, help. */
import { LoopMark } from "../parts/Icon.tsx";
import { feed, hidden } from "../state/app.ts";
import { overlay } from "./actions.ts";

export function Header() {
  const run = feed.value;
  return (
    <header class="header">
      <LoopMark size={34} />
      <div class="header-title">
        <h1>webgrpo</h1>
        <p class="soft">A small language model learns by trying and being marked, in this tab.</p>
      </div>
      <div class="header-tools">
        {!hidden.value.has("runs") && (
          <button
            type="button"
            class="button header-run"
            aria-haspopup="dialog"
            onClick={() => (overlay.value = "runs")}
          >
            <span class="soft">Run</span> <span class="header-run-name">{runTitle(run.kind, run.name)}</span>
          </button>
        )}
        {!hidden.value.has("tour") && (
          <button type="button" class="button quiet header-tour" onClick={() => (overlay.value = "tour")}>
            Tour
          </button>
        )}
        <button
          type="button"
          class="button quiet"
          aria-haspopup="dialog"
          title="?"
          onClick={() => (overlay.value = "help")}
        >
          Help
        </button>
      </div>
    </header>
  );
}

function runTitle(kind: string, name: string): string {
  return kind === "recorded" ? "recording" : name;
}
