/** The page's frame: header, the run at this moment, the loop, and the view that was chosen. */
import type { ComponentType } from "preact";
import { useEffect } from "preact/hooks";
import { Lazy } from "../parts/Lazy.tsx";
import { hidden, type ViewName, view } from "../state/app.ts";
import { carryOut } from "./actions.ts";
import { Controls } from "./Controls.tsx";
import { keepPlaying, loadDemo } from "./demo.ts";
import { Header } from "./Header.tsx";
import { LoopStrip } from "./LoopStrip.tsx";
import { Now } from "./Now.tsx";
import { shownViews } from "./navigation.ts";
import { commandOf } from "./shortcuts.ts";
import { Tabs } from "./Tabs.tsx";
import "./shell.css";

const LOADERS: Record<ViewName, () => Promise<ComponentType>> = {
  learning: () => import("../views/learning/Learning.tsx").then(({ Learning }) => Learning),
  rollouts: () => import("../views/rollouts/Rollouts.tsx").then(({ Rollouts }) => Rollouts),
  timeline: () => import("../views/timeline/Timeline.tsx").then(({ Timeline }) => Timeline),
  settings: () => import("../views/settings/Settings.tsx").then(({ Settings }) => Settings),
  chat: () => import("../views/chat/Chat.tsx").then(({ Chat }) => Chat),
};

function listenToKeys(): () => void {
  const onKey = (event: KeyboardEvent) => {
    if (event.defaultPrevented || event.repeat || document.querySelector("dialog[open]")) return;
    const command = commandOf({ ...pick(event), target: event.target as HTMLElement | null });
    if (!command) return;
    event.preventDefault();
    carryOut(command);
  };
  addEventListener("keydown", onKey);
  return () => removeEventListener("keydown", onKey);
}

const pick = ({ key, ctrlKey, metaKey, altKey }: KeyboardEvent) => ({ key, ctrlKey, metaKey, altKey });

export function App() {
  useEffect(() => {
    loadDemo();
    const fromHash = location.hash.slice(1);
    if (fromHash in LOADERS) view.value = fromHash as ViewName;
    const stops = [keepPlaying(), listenToKeys()];
    return () => {
      for (const stop of stops) stop();
    };
  }, []);
  const shown = shownViews();
  const chosen = shown.includes(view.value) ? view.value : shown[0];
  return (
    <div class="shell">
      <Header />
      <main class="shell-main">
        <Now />
        <div id="loop" class="shell-loop">
          {!hidden.value.has("strip") && <LoopStrip />}
        </div>
        <div class="shell-bar">
          <Tabs />
          {!hidden.value.has("controls") && <Controls />}
        </div>
        {chosen && (
          <div id="view-panel" role="tabpanel" aria-labelledby={`tab-${chosen}`}>
            <Lazy key={chosen} load={LOADERS[chosen]} />
          </div>
        )}
      </main>
    </div>
  );
}
