/** The page's frame: header, loop strip, controls, and the view that was chosen. */
import type { ComponentType } from "preact";
import { useEffect } from "preact/hooks";
import { Lazy } from "../parts/Lazy.tsx";
import { feed, type ViewName, view } from "../state/app.ts";
import type { RecordedRun } from "../state/records.ts";
import { RunFeed } from "../state/run_feed.ts";

const LOADERS: Record<ViewName, () => Promise<ComponentType>> = {
  learning: () => import("../views/learning/Learning.tsx").then(({ Learning }) => Learning),
  rollouts: () => import("../views/rollouts/Rollouts.tsx").then(({ Rollouts }) => Rollouts),
  timeline: () => import("../views/timeline/Timeline.tsx").then(({ Timeline }) => Timeline),
  settings: () => import("../views/settings/Settings.tsx").then(({ Settings }) => Settings),
  chat: () => import("../views/chat/Chat.tsx").then(({ Chat }) => Chat),
};

async function loadRecording(): Promise<void> {
  const response = await fetch(new URL("demo/run.json", document.baseURI));
  feed.value = RunFeed.of((await response.json()) as RecordedRun, "recorded");
}

export function App() {
  useEffect(() => {
    loadRecording();
    const fromHash = location.hash.slice(1);
    if (fromHash in LOADERS) view.value = fromHash as ViewName;
  }, []);
  return (
    <main style={{ padding: "16px" }}>
      <h1>webgrpo</h1>
      <Lazy load={LOADERS[view.value]} />
    </main>
  );
}
