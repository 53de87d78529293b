/** The page's frame: header, the run at this moment, the loop, and the view that was chosen. */
import type { ComponentType } from "preact";
import { useEffect } from "preact/hooks";
import { dropping, takeDrops } from "../models/take.ts";
import { Lazy } from "../parts/Lazy.tsx";
import { hidden, type ViewName } from "../state/app.ts";
import { Controls } from "./Controls.tsx";
import { keepPlaying, loadDemo } from "./demo.ts";
import { Header } from "./Header.tsx";
import { listenToKeys } from "./keys.ts";
import { LoopStrip } from "./LoopStrip.tsx";
import { watchLeaving } from "./leaving.ts";
import { openLinkedRuns } from "./linked_run.ts";
import { Notices } from "./Notices.tsx";
import { Now } from "./Now.tsx";
import { shownView } from "./navigation.ts";
import { Overlays } from "./Overlays.tsx";
import { keepTitle } from "./page_title.ts";
import { lookForCutRun } from "./resume.ts";
import { Tabs } from "./Tabs.tsx";
import "./shell.css";

const LOADERS: Record<ViewName, () => Promise<ComponentType>> = {
  learning: () => import("../views/learning/Learning.tsx").then(({ Learning }) => Learning),
  rollouts: () => import("../views/rollouts/Rollouts.tsx").then(({ Rollouts }) => Rollouts),
  timeline: () => import("../views/timeline/Timeline.tsx").then(({ Timeline }) => Timeline),
  settings: () => import("../views/settings/Settings.tsx").then(({ Settings }) => Settings),
  chat: () => import("../views/chat/Chat.tsx").then(({ Chat }) => Chat),
};

function start(): () => void {
  loadDemo();
  lookForCutRun();
  const stops = [openLinkedRuns(), keepPlaying(), listenToKeys(), watchLeaving(), takeDrops(), keepTitle()];
  return () => {
    for (const stop of stops) stop();
  };
}

export function App() {
  useEffect(start, []);
  const chosen = shownView();
  return (
    <div class="shell">
      <Header />
      <main class="shell-main">
        <Notices />
        <Now />
        <div id="loop" class="shell-loop">
          {!hidden.value.has("strip") && <LoopStrip />}
        </div>
        <div class="shell-bar">
          <Tabs chosen={chosen} />
          {!hidden.value.has("controls") && <Controls />}
        </div>
        {chosen && (
          <div id="view-panel" role="tabpanel" aria-labelledby={`tab-${chosen}`}>
            <Lazy key={chosen} load={LOADERS[chosen]} />
          </div>
        )}
      </main>
      <Overlays />
      {dropping.value && <p class="drop-hint">Drop a model's folder, or the zip of a run or a checkpoint</p>}
    </div>
  );
}
