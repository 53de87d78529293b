/** Keys that work anywhere on the page, unless something is being typed. */
import { type Hideable, VIEWS, type ViewName } from "../state/app.ts";

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

/** Keys that do something where a teacher has hidden parts of the page. */
export function shortcutsFor(hidden: ReadonlySet<Hideable>): Shortcut[] {
  return SHORTCUTS.filter(({ command }) => {
    if (command.kind === "view") return !hidden.has(command.view);
    return command.kind === "help" || !hidden.has("controls");
  });
}

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

/** Fields and lists take letters and digits, whatever is pressed takes the space bar; sliders take arrows alone. */
function takesKey({ key, target }: KeyPress): boolean {
  if (!target) return false;
  if (target.isContentEditable) return true;
  const tag = target.tagName.toLowerCase();
  if (tag === "textarea" || tag === "select") return true;
  if (tag === "input" && target.type === "range") return false;
  const isPressed = tag === "input" && ["checkbox", "radio", "button"].includes(target.type ?? "text");
  if (tag === "input" && !isPressed) return true;
  return key === " " && (isPressed || ["button", "a", "summary"].includes(tag));
}

export function commandOf(press: KeyPress): Command | null {
  if (press.ctrlKey || press.metaKey || press.altKey || takesKey(press)) return null;
  return SHORTCUTS.find(({ key }) => key === press.key.toLowerCase())?.command ?? null;
}
