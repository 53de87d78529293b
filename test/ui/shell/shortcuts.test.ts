import { describe, expect, it } from "vitest";
import { commandOf, type KeyPress, SHORTCUTS, shortcutsFor } from "../../../src/ui/shell/shortcuts.ts";

const press = (key: string, more: Partial<KeyPress> = {}): KeyPress => ({
  key,
  ctrlKey: false,
  metaKey: false,
  altKey: false,
  target: null,
  ...more,
});
const on = (tagName: string, type?: string) => ({ target: { tagName, isContentEditable: false, type } });

describe("shortcutsFor()", () => {
  it("leaves out what a teacher has hidden", () => {
    const does = shortcutsFor(new Set(["controls", "chat", "runs"])).map((shortcut) => shortcut.does);
    expect(does).toEqual(["show Learning", "show Rollouts", "show Timeline", "show Settings", "this help"]);
  });
});

describe("commandOf()", () => {
  it("knows every key that the help lists, and no key twice", () => {
    for (const { key, command } of SHORTCUTS) expect(commandOf(press(key))).toEqual(command);
    expect(new Set(SHORTCUTS.map(({ key }) => key)).size).toBe(SHORTCUTS.length);
  });

  it("takes letters in either case", () => {
    expect(commandOf(press("S"))).toEqual({ kind: "step" });
  });

  it("leaves the browser's own combinations alone", () => {
    for (const held of ["ctrlKey", "metaKey", "altKey"] as const)
      expect(commandOf(press("s", { [held]: true }))).toBeNull();
  });

  it("leaves typing alone", () => {
    for (const tag of ["INPUT", "TEXTAREA", "SELECT"]) {
      expect(commandOf(press("s", on(tag)))).toBeNull();
      expect(commandOf(press("1", on(tag)))).toBeNull();
      expect(commandOf(press(" ", on(tag)))).toBeNull();
    }
    expect(commandOf(press("?", { target: { tagName: "DIV", isContentEditable: true } }))).toBeNull();
    expect(commandOf(press("?", on("INPUT", "text")))).toBeNull();
  });

  it("leaves the space bar to a button that has the focus, and other keys to the page", () => {
    expect(commandOf(press(" ", on("BUTTON")))).toBeNull();
    expect(commandOf(press("2", on("BUTTON")))).toEqual({ kind: "view", view: "rollouts" });
  });

  it("goes on and to other views from a slider or a choice that has the focus", () => {
    expect(commandOf(press(" ", on("INPUT", "range")))).toEqual({ kind: "toggle" });
    expect(commandOf(press(" ", on("INPUT", "radio")))).toBeNull();
    for (const type of ["range", "radio", "checkbox"])
      expect(commandOf(press("2", on("INPUT", type)))).toEqual({ kind: "view", view: "rollouts" });
    for (const type of ["number", "search"]) expect(commandOf(press("2", on("INPUT", type)))).toBeNull();
  });

  it("knows no other keys", () => {
    for (const key of ["6", "0", "x", "Enter", "Escape"]) expect(commandOf(press(key))).toBeNull();
  });
});
