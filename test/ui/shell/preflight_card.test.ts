import { describe, expect, it } from "vitest";
import type { PreflightLine } from "../../../src/ui/session/api.ts";
import { offersSmoke, recipeTitle, withSettings } from "../../../src/ui/shell/preflight_card.ts";

const line = (key: string, level: PreflightLine["level"]): PreflightLine => ({
  key,
  label: key,
  value: "",
  level,
});

describe("recipeTitle()", () => {
  it("names the recipe, and says that it was changed", () => {
    expect(recipeTitle({ extends: "default" })).toBe("default");
    expect(recipeTitle({ extends: "default", steps: 5 })).toBe("default, with your settings");
    expect(recipeTitle({ extends: "default", name: "mine", steps: 5 })).toBe("mine");
    expect(recipeTitle({ steps: 5 })).toBe("your own");
  });
});

describe("offersSmoke()", () => {
  const recipe = { extends: "default" };

  it("offers the small recipe where the run asks for too much", () => {
    expect(offersSmoke(recipe, [line("adapter", "ok"), line("memory", "stop")], null)).toBe(true);
    expect(offersSmoke(recipe, [line("adapter", "ok")], "a setting is out of bounds")).toBe(true);
  });

  it("does not where no recipe would help", () => {
    expect(offersSmoke(recipe, [line("browser", "stop")], null)).toBe(false);
    expect(offersSmoke(recipe, [line("adapter", "stop"), line("memory", "stop")], null)).toBe(false);
    expect(offersSmoke(recipe, [line("files", "stop")], null)).toBe(false);
  });

  it("does not where nothing stands in the way, nothing is known yet, or it is taken already", () => {
    expect(offersSmoke(recipe, [line("memory", "note")], null)).toBe(false);
    expect(offersSmoke(recipe, null, null)).toBe(false);
    expect(offersSmoke({ extends: "smoke" }, [line("memory", "stop")], null)).toBe(false);
  });
});

describe("withSettings()", () => {
  it("lays settings over a recipe, which stays as it was", () => {
    const recipe = { extends: "default", trainer: { lora: { alpha: 4 } }, generator: null };
    const settings = { "trainer.lora.rank": 16, "trainer.recompute": true, "generator.dtype": "f16" };
    expect(withSettings(recipe, settings)).toEqual({
      extends: "default",
      trainer: { lora: { alpha: 4, rank: 16 }, recompute: true },
      generator: { dtype: "f16" },
    });
    expect(recipe.trainer).toEqual({ lora: { alpha: 4 } });
  });
});
