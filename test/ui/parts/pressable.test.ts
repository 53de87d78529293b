import { expect, it, vi } from "vitest";
import { pressable } from "../../../src/ui/parts/pressable.ts";

it("presses only what can be pressed, and tells so without taking the focus away", () => {
  const press = vi.fn();
  const off = pressable(false, press);
  off.onClick();
  expect(press).not.toHaveBeenCalled();
  expect(off).toMatchObject({ "aria-disabled": true });
  expect(off).not.toHaveProperty("disabled");
  pressable(true, press).onClick();
  expect(press).toHaveBeenCalledOnce();
});
