import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { modelFolder, readRecipe, recipeFromFlags, recipeNames, typedModel } from "../../src/cli/recipes.ts";
import { ConfigError, DataError } from "../../src/errors.ts";
import { runInProcess } from "./in_process.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

describe("runCommand()", () => {
  it("exits 2 on an unknown command or flag, with a suggestion on stderr", async () => {
    const command = await runInProcess(["trian"]);
    expect(command).toMatchObject({ code: 2, stdout: "" });
    expect(command.stderr).toContain("did you mean `train`?");
    const flag = await runInProcess(["doctor", "--quik"]);
    expect(flag).toMatchObject({ code: 2, stdout: "" });
    expect(flag.stderr).toContain("did you mean `--quick`?");
  });

  it.each([
    [["--get", "notanid"], "no model's id on the hub"],
    [["--get", "builtin:chain-sum"], "no model's id on the hub"],
    [["--get", "a/b", "--remove", "a/b"], "at once"],
  ])("does not download what is not on the hub, or in one go with a removal: %j", async (words, found) => {
    const { code, stderr } = await runInProcess(["models", ...words]);
    expect(code).toBe(2);
    expect(stderr).toContain(found);
  });

  it("prints help on stdout and exits 0; without a command it exits 2", async () => {
    expect(await runInProcess(["--help"])).toMatchObject({ code: 0, stderr: "" });
    expect(await runInProcess(["help"])).toMatchObject({ code: 0, stderr: "" });
    const help = await runInProcess(["train", "--json", "--help"]);
    expect(help).toMatchObject({ code: 0, stderr: "" });
    expect(help.stdout).toContain("npm run train");
    expect((await runInProcess([])).code).toBe(2);
    expect((await runInProcess(["--hlep"])).code).toBe(2);
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
