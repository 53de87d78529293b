import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { runCommand } from "../../src/cli/dispatch.ts";
import { createInterrupt } from "../../src/cli/interrupt.ts";
import { createOutput } from "../../src/cli/output.ts";
import { modelFolder, readRecipe, recipeFromFlags, recipeNames, typedModel } from "../../src/cli/recipes.ts";
import { ConfigError, DataError } from "../../src/errors.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

async function run(words: string[]) {
  const texts = { out: "", err: "" };
  const output = createOutput({
    json: false,
    env: {},
    stdout: { write: (text: string) => (texts.out += text) },
    stderr: { write: (text: string) => (texts.err += text) },
  });
  const interrupt = createInterrupt({
    listen: () => () => undefined,
    exit: () => undefined,
    note: () => undefined,
  });
  const code = await runCommand(words, { cwd: root, root, env: {}, output, interrupt });
  return { code, ...texts };
}

describe("runCommand()", () => {
  it("exits 2 on an unknown command or flag, with a suggestion on stderr", async () => {
    const command = await run(["trian"]);
    expect(command).toMatchObject({ code: 2, out: "" });
    expect(command.err).toContain("did you mean `train`?");
    const flag = await run(["doctor", "--quik"]);
    expect(flag).toMatchObject({ code: 2, out: "" });
    expect(flag.err).toContain("did you mean `--quick`?");
  });

  it.each([
    [["--get", "notanid"], "no model's id on the hub"],
    [["--get", "builtin:chain-sum"], "no model's id on the hub"],
    [["--get", "a/b", "--remove", "a/b"], "at once"],
  ])("does not download what is not on the hub, or in one go with a removal: %j", async (words, found) => {
    const { code, err } = await run(["models", ...words]);
    expect(code).toBe(2);
    expect(err).toContain(found);
  });

  it("prints help on stdout and exits 0; without a command it exits 2", async () => {
    expect(await run(["--help"])).toMatchObject({ code: 0, err: "" });
    expect(await run(["help"])).toMatchObject({ code: 0, err: "" });
    const help = await run(["train", "--json", "--help"]);
    expect(help).toMatchObject({ code: 0, err: "" });
    expect(help.out).toContain("npm run train");
    expect((await run([])).code).toBe(2);
    expect((await run(["--hlep"])).code).toBe(2);
  });
});

describe("recipes", () => {
  const folder = mkdtempSync(join(tmpdir(), "recipes-"));
  writeFileSync(join(folder, "mine.json"), '{"extends": "./base.json", "seed": 4}');
  writeFileSync(
    join(folder, "base.json"),
    '{"extends": "default", "name": "mine", "verifier": {"rewardModule": "r.ts"}}',
  );

  it("are read by name and by file, and extend each other", async () => {
    const recipe = await recipeFromFlags(
      { recipe: "mine.json", steps: 3, model: "m" },
      { cwd: folder, root },
    );
    expect(recipe).toMatchObject({ name: "mine", seed: 4, steps: 3, model: join(folder, "m") });
    expect(recipe.verifier.rewardModule).toBe(join(folder, "r.ts"));
    expect((await recipeFromFlags({}, { cwd: folder, root })).name).toBe("default");
  });

  it("take a file of problems instead of the recipe's task, from where the user is", async () => {
    const recipe = await recipeFromFlags({ data: "rows.jsonl" }, { cwd: folder, root });
    expect(recipe.data?.file).toBe(join(folder, "rows.jsonl"));
    expect(recipe.task).toBeUndefined();
  });

  it("are suggested when misspelt", () => {
    expect(recipeNames(root)).toContain("smoke");
    expect(() => readRecipe("smok", folder, root)).toThrow(
      expect.objectContaining({ code: "config/no-recipe", hint: "did you mean `smoke`?" }),
    );
    expect(() => readRecipe("./none.json", folder, root)).toThrow(ConfigError);
  });

  it("may begin with a byte order mark, and are no folders", () => {
    writeFileSync(join(folder, "marked.json"), '\uFEFF{"seed": 4}');
    expect(readRecipe("./marked.json", folder, root).content).toBe('{"seed": 4}');
    expect(() => readRecipe(folder, folder, root)).toThrow(
      expect.objectContaining({ code: "config/no-recipe", message: expect.stringContaining("EISDIR") }),
    );
  });
});

describe("modelFolder()", () => {
  const cwd = mkdtempSync(join(tmpdir(), "models-"));
  writeFileSync(join(cwd, "config.json"), "{}");

  it("takes a folder over a hub id of the same form", () => {
    expect(typedModel("builtin:x", cwd)).toBe("builtin:x");
    expect(typedModel("owner/name", cwd)).toBe("owner/name");
    expect(typedModel(".", cwd)).toBe(cwd);
    expect(modelFolder(".", { cwd, root })).toBe(cwd);
  });

  it("says what is missing", () => {
    for (const [model, code] of [
      ["owner/name", "model/hub"],
      ["./none", "model/no-folder"],
      ["builtin:none", "model/no-folder"],
    ]) {
      expect(() => modelFolder(model, { cwd, root }), model).toThrow(expect.objectContaining({ code }));
      expect(() => modelFolder(model, { cwd, root })).toThrow(DataError);
    }
  });
});
