import { describe, expect, it } from "vitest";
import { identifyLanguage, stripForLanguage } from "../../src/verifier/language.ts";

describe("identifyLanguage()", () => {
  it.each([
    ["eng", "The farmer has seventeen sheep and sells all but nine of them at the market."],
    ["fra", "Le fermier possède dix-sept moutons et en vend la plupart au marché du village."],
    ["deu", "Der Bauer hat siebzehn Schafe und verkauft die meisten davon auf dem Markt."],
    ["spa", "El granjero tiene diecisiete ovejas y vende la mayoría de ellas en el mercado."],
    ["ita", "Il contadino ha diciassette pecore e ne vende la maggior parte al mercato."],
    ["rus", "У фермера семнадцать овец, и большую часть из них он продаёт на рынке."],
  ])("tells %s", async (code, text) => {
    expect(await identifyLanguage(text)).toBe(code);
  });

  it("does not guess on little or no prose", async () => {
    for (const text of [
      "",
      "ok",
      "42",
      "3 + 4 = 7",
      "第一步是这样",
      "$\\text{a long formula with many words in it}$",
    ]) {
      expect(await identifyLanguage(text), text).toBeNull();
    }
  });

  it("looks past formulas and code", async () => {
    const mixed =
      "Zuerst berechnen wir die Summe $\\sum_{k=1}^n k$ und danach das Produkt \\(a \\times b\\).\n```python\nfor value in the_list: print(value)\n```\nDas ist alles.";
    expect(stripForLanguage(mixed)).toBe(
      "Zuerst berechnen wir die Summe und danach das Produkt . Das ist alles.",
    );
    expect(await identifyLanguage(mixed)).toBe("deu");
  });
});
