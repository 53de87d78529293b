import { describe, expect, it } from "vitest";
import { type GivenFile, givenModel } from "../../../src/ui/models/given_files.ts";

const given = (...paths: string[]): GivenFile[] =>
  paths.map((path) => ({ path, file: new File(["abc"], path.split("/").at(-1) ?? "") }));

describe("givenModel()", () => {
  it("takes the files beside the outermost config.json, by name", () => {
    const model = givenModel(
      given("own/README.md", "own/config.json", "own/model.safetensors", "own/onnx/config.json"),
    );
    expect(model?.name).toBe("own");
    expect(Object.keys(model?.files ?? {})).toEqual(["README.md", "config.json", "model.safetensors"]);
    expect(model?.bytes).toBe(9);
  });

  it("finds a model below the folder that was given", () => {
    const model = givenModel(
      given("snapshots/3f2a/config.json", "snapshots/3f2a/model.safetensors", "refs/main"),
    );
    expect(model?.name).toBe("3f2a");
    expect(Object.keys(model?.files ?? {})).toEqual(["config.json", "model.safetensors"]);
  });

  it("names what has no folder, and what a recipe could not name", () => {
    expect(givenModel(given("config.json", "model.safetensors"))?.name).toBe("model");
    expect(givenModel(given("my model: best/config.json"))?.name).toBe("my-model-best");
  });

  it("takes a folder of adapters, which has a config of another name", () => {
    const model = givenModel(
      given("a/adapter_config.json", "a/adapter_model.safetensors", "a/b/config.json"),
    );
    expect(model?.name).toBe("a");
    expect(Object.keys(model?.files ?? {})).toEqual(["adapter_config.json", "adapter_model.safetensors"]);
  });

  it("is null without a config.json", () => {
    expect(
      givenModel(given("own/model.safetensors", "own/config.json.bak", "own/my_config.json")),
    ).toBeNull();
  });
});
