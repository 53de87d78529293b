/** What lies over the page; fetched when it is first opened. */
import type { ComponentType } from "preact";
import { Lazy } from "../parts/Lazy.tsx";
import { type Overlay, overlay } from "./actions.ts";

const LOADERS: Record<Overlay, () => Promise<ComponentType>> = {
  preflight: () => import("./PreflightCard.tsx").then(({ PreflightCard }) => PreflightCard),
  runs: () => import("./RunsDrawer.tsx").then(({ RunsDrawer }) => RunsDrawer),
  help: () => import("./Help.tsx").then(({ Help }) => Help),
  tour: () => import("./Tour.tsx").then(({ Tour }) => Tour),
};

export function Overlays() {
  const open = overlay.value;
  return open && <Lazy key={open} load={LOADERS[open]} quiet />;
}
