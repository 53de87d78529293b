import { describe, expect, it } from "vitest";
import { mergeLayers, parseSet } from "../../../../src/config/resolve.ts";
import { commandLine, draftSets, shellQuote } from "../../../../src/ui/views/settings/cli_line.ts";

describe("commandLine()", () => {
  it.each([
    [{ extends: "default" }, "npm run train"],
    [{ extends: "smoke" }, "npm run train -- --recipe smoke"],
    [
      { extends: "default", seed: 1, trainer: { loss: "dapo" } },
      "npm run train -- --set seed=1 --set trainer.loss=dapo",
    ],
    [
      { extends: "sync", task: { options: { maxTerms: 4 } } },
      "npm run train -- --recipe sync --set 'task.options={\"maxTerms\":4}'",
    ],
    [{ steps: 3 }, "npm run train -- --recipe recipe.json"],
  ])("of %j is %s", (draft, line) => {
    expect(commandLine(draft)).toBe(line);
  });

  it("quotes for a shell", () => {
    expect(shellQuote("it's")).toBe("'it'\\''s'");
  });

  it("says in --set what the draft says", () => {
    const own = {
      name: "12",
      description: '"quoted"',
      mode: "sync",
      verifier: { rewards: ["a", "b"], languageBonus: true },
      task: { name: "sorting", options: { size: { low: 1 } } },
      trainer: { learningRate: 1e-7 },
    };
    const again = draftSets(own).map(parseSet).reduce(mergeLayers, {});
    expect(again).toEqual(own);
  });
});
