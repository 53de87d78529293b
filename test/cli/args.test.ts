import { describe, expect, it } from "vitest";
import { flagName, parseCommand, wantsHelp } from "../../src/cli/args.ts";
import { commandHelp, generalHelp } from "../../src/cli/help.ts";
import {
  benchSpec,
  commandSpecs,
  conformanceSpec,
  distillSpec,
  doctorSpec,
  evalSpec,
  generateSpec,
  trainSpec,
} from "../../src/cli/options.ts";
import { ConfigError } from "../../src/errors.ts";

function refusal(parse: () => unknown): ConfigError {
  try {
    parse();
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
  throw new Error("the words were accepted");
}

describe("parseCommand()", () => {
  it("reads every kind of flag of train", () => {
    const words = "--recipe smoke --set a=1 --set=b=2 --seed 3 --steps=5 --out x --dry-run --json".split(" ");
    expect(parseCommand(trainSpec, words)).toEqual({
      recipe: "smoke",
      model: undefined,
      data: undefined,
      set: ["a=1", "b=2"],
      seed: 3,
      steps: 5,
      out: "x",
      resume: undefined,
      dryRun: true,
      fit: false,
      json: true,
      positionals: {},
    });
  });

  it("refuses an empty value, as an unset shell variable leaves it, but for a prompt", () => {
    for (const words of [["--out", ""], ["--out="], ["--resume", " "], ["--recipe", ""]])
      expect(refusal(() => parseCommand(trainSpec, words))).toMatchObject({
        code: "cli/bad-value",
        message: expect.stringContaining(words[0].replace("=", "")),
      });
    expect(parseCommand(generateSpec, ["--model", "m", "--prompt", ""]).prompt).toBe("");
  });

  it("fills in defaults", () => {
    expect(parseCommand(evalSpec, ["--model", "m", "--task", "t"])).toMatchObject({
      samples: 8,
      temperature: 1,
      json: false,
    });
    expect(parseCommand(generateSpec, ["--model", "m"])).toMatchObject({
      topK: 0,
      topP: 1,
      minP: 0,
      samples: 1,
      ids: false,
    });
    expect(parseCommand(doctorSpec, [])).toMatchObject({ quick: false });
    expect(parseCommand(benchSpec, ["--only", "linear"])).toMatchObject({ only: "linear", repeats: 5 });
    expect(parseCommand(distillSpec, ["--task", "t", "--out", "o"])).toMatchObject({
      task: "t",
      out: "o",
      set: [],
    });
  });

  it("reads token ids and positionals", () => {
    const args = parseCommand(generateSpec, ["--model", "m", "--prompt-ids", "1, 2,3", "--temperature", "0"]);
    expect(args.promptIds).toEqual([1, 2, 3]);
    expect(args.temperature).toBe(0);
    expect(parseCommand(conformanceSpec, ["vectors", "--json"]).positionals).toEqual({ dir: "vectors" });
    expect(parseCommand(generateSpec, ["--model", "m", "--prompt=-5 ="]).prompt).toBe("-5 =");
  });

  it.each([
    [["--stpes", "3"], "cli/unknown-flag", "--stpes", "--steps"],
    [["--dryrun"], "cli/unknown-flag", "--dryrun", "--dry-run"],
    [["-x"], "cli/unknown-flag", "`-x`", "--help"],
    [["--steps", "0"], "cli/bad-value", "from 1 to 1000000", "--steps 1"],
    [["--steps", "3.5"], "cli/bad-value", "whole number", "--steps"],
    [["--seed", "-1"], "cli/bad-value", "from 0", "--seed"],
    [["--seed", ""], "cli/bad-value", "whole number", "--seed"],
    [["--seed", "1", "--seed", "2"], "cli/repeated", "twice", "once"],
    [["--steps", "--json"], "cli/missing", "needs a value", "--steps N"],
    [["--out"], "cli/missing", "needs a value", "--out DIR"],
    [["--json=yes"], "cli/bad-value", "switch", "--json"],
    [["smoke"], "cli/unexpected-word", "smoke", "--help"],
  ])("refuses train %j", (words, code, found, hint) => {
    const error = refusal(() => parseCommand(trainSpec, words));
    expect(error.code).toBe(code);
    expect(error.message).toContain(found);
    expect(error.hint).toContain(hint);
  });

  it("refuses what is missing or malformed elsewhere", () => {
    expect(refusal(() => parseCommand(evalSpec, ["--task", "t"])).message).toContain("--model DIR");
    expect(refusal(() => parseCommand(distillSpec, ["--task", "t"])).message).toContain("--out DIR");
    expect(refusal(() => parseCommand(conformanceSpec, [])).message).toContain("without DIR");
    expect(refusal(() => parseCommand(conformanceSpec, ["a", "b"])).message).toContain("only DIR");
    for (const ids of ["1,b", "", "1,,2", "-1", "1.5"]) {
      expect(refusal(() => parseCommand(generateSpec, ["--model", "m", `--prompt-ids=${ids}`])).code).toBe(
        "cli/bad-value",
      );
    }
  });
});

describe("help", () => {
  it("names flags with dashes and finds requests for help", () => {
    expect(flagName("maxTokens")).toBe("max-tokens");
    expect(wantsHelp(["--steps", "3"])).toBe("no");
    expect(wantsHelp(["-h"])).toBe("short");
    expect(wantsHelp(["--help-all"])).toBe("all");
    expect(wantsHelp(["--", "--help"])).toBe("no");
  });

  it.each(commandSpecs.map((spec) => [spec.name, spec] as const))(
    "%s starts with examples that parse",
    (_name, spec) => {
      const help = commandHelp(spec, false);
      expect(help.indexOf("Examples")).toBeLessThan(help.indexOf("Usage"));
      for (const key of Object.keys(spec.options)) expect(help).toContain(`--${flagName(key)}`);
      for (const { line } of spec.examples) {
        const [head, tail = ""] = line.split(" -- ");
        expect(head).toBe(`npm run ${spec.name}`);
        const words = tail.match(/"[^"]*"|\S+/g)?.map((word) => word.replaceAll('"', "")) ?? [];
        expect(() => parseCommand(spec, words), line).not.toThrow();
      }
      for (const line of help.split("\n")) expect(line.length, line).toBeLessThanOrEqual(110);
    },
  );

  it("shows eval as it is", () => {
    expect(commandHelp(evalSpec, false)).toMatchInlineSnapshot(`
      "Measure pass@1, pass@k and maj@k of a model.

      Examples
        npm run eval -- --model builtin:chain-sum --task chain_sum
            the policy that ships with the project
        npm run eval -- --model runs/NAME/checkpoints/step-000030 --data test.jsonl --samples 8
            a checkpoint on a file
        npm run eval -- --model DIR --recipe gsm8k --data hub:openai/gsm8k/main/test-00000-of-00001.parquet
            a file of the hub, its rows asked as the recipe asks its own

      Usage: npm run eval -- [flags]

        --model DIR         Model folder in Hugging Face layout, llama2.c's FILE.bin, hub id
                            \`owner/name[@revision]\`, or \`builtin:NAME\` (required)
        --task NAME         Task whose held-out problems are asked
        --data FILE         JSONL or Parquet file of problems, or hub:owner/name/path; all of them are asked
        --recipe NAME|FILE  Recipe that says how the rows of \`--data\` are asked
        --samples K         Completions of each problem (default 8)
        --temperature T     Divides the logits; 0 takes the most probable token (default 1)
        --max-tokens N      Longest completion in tokens
        --stop TEXT         Text that ends a completion where it first appears, any number of times
        --dtype f32|f16     Number format of matrices and cache on the GPU; f32 when not given
        --limit N           Ask the first N problems only
        --seed N            Seed of every random number
        --json              Print newline-delimited JSON on stdout instead of text
        --help              This text"
    `);
  });

  it("shows the basic settings, and all on demand", () => {
    expect(commandHelp(trainSpec, false)).toContain("trainer.learningRate");
    expect(commandHelp(trainSpec, false)).not.toContain("trainer.adamEps");
    expect(commandHelp(trainSpec, true)).toContain("trainer.adamEps");
  });

  it("lists all commands", () => {
    for (const { name, summary } of commandSpecs) {
      expect(generalHelp(commandSpecs)).toContain(`npm run ${name}`);
      expect(generalHelp(commandSpecs)).toContain(summary);
    }
  });
});
