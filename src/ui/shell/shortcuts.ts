/** Keys that work anywhere on the page, unless something is being typed. */
import { VIEWS, type ViewName } from "../state/app.ts";

export type Command =
  | { kind: "toggle" }
  | { kind: "step" }
  | { kind: "help" }
  | { kind: "view"; view: ViewName };

export interface Shortcut {
  /** As `KeyboardEvent.key` names it. */
  key: string;
  /** As it is printed on the key. */
  label: string;
  does: string;
  command: Command;
}

const VIEW_TITLES: Record<ViewName, string> = {
  learning: "Learning",
  rollouts: "Rollouts",
  timeline: "Timeline",
  settings: "Settings",
  chat: "Chat",
};

export const SHORTCUTS: readonly Shortcut[] = [
  { key: " ", label: "Space", does: "play or pause", command: { kind: "toggle" } },
  { key: "s", label: "S", does: "a single step", command: { kind: "step" } },
  ...VIEWS.map(
    (view, index): Shortcut => ({
      key: String(index + 1),
      label: String(index + 1),
      does: `show ${VIEW_TITLES[view]}`,
      command: { kind: "view", view },
    }),
  ),
  { key: "?", label: "?", does: "this help", command: { kind: "help" } },
];

export function viewTitle(view: ViewName): string {
  return VIEW_TITLES[view];
}

/** What matters of a key press. */
export interface KeyPress {
  key: string;
  ctrlKey: boolean;
  metaKey: boolean;
  altKey: boolean;
  /** What has the focus. */
  target: { tagName: string; isContentEditable: boolean; type?: string } | null;
}

/** Fields take letters, buttons take the space bar, sliders and lists take digits and arrows. */
function takesKey({ key, target }: KeyPress): boolean {
  if (!target) return false;
  if (target.isContentEditable) return true;
  const tag = target.tagName.toLowerCase();
  if (tag === "textarea" || tag === "select") return true;
  if (tag === "input")
    return key !== "?" || !["checkbox", "radio", "range", "button"].includes(target.type ?? "text");
  return key === " " && ["button", "a", "summary"].includes(tag);
}

export function commandOf(press: KeyPress): Command | null {
  if (press.ctrlKey || press.metaKey || press.altKey || takesKey(press)) return null;
  return SHORTCUTS.find(({ key }) => key === press.key.toLowerCase())?.command ?? null;
}
