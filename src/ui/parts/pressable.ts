/** Buttons that cannot be pressed for a moment. */

interface Pressable {
  "aria-disabled": boolean;
  onClick(): void;
}

/**
 * Properties of a button that does something when it can. Where it cannot it keeps the focus, which `disabled` takes away:
 * who presses it again and again from the keyboard would have to look for it each time.
 */
export function pressable(can: boolean, press: () => unknown): Pressable {
  return {
    "aria-disabled": !can,
    onClick: () => {
      if (can) press();
    },
  };
}
