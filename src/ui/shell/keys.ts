/** The page's keys at work. */
import { carryOut } from "./actions.ts";
import { commandOf } from "./shortcuts.ts";

/** Carries out what the keys command until the returned function is called; windows over the page have their own keys. */
export function listenToKeys(): () => void {
  const onKey = (event: KeyboardEvent) => {
    if (event.defaultPrevented || event.repeat || document.querySelector("dialog[open]")) return;
    const { key, ctrlKey, metaKey, altKey, target } = event;
    const command = commandOf({ key, ctrlKey, metaKey, altKey, target: target as HTMLElement | null });
    if (!command) return;
    event.preventDefault();
    carryOut(command);
  };
  addEventListener("keydown", onKey);
  return () => removeEventListener("keydown", onKey);
}
