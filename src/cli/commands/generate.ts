/** `generate`: lets a model complete a prompt; text streams, one sample after another. Deno only. */
import { type Completion, completionLimit, streamCompletions } from "../../answering.ts";
import type { ModelText } from "../../data/source.ts";
import { ConfigError, DataError } from "../../errors.ts";
import { openGpu } from "../../gpu/device.ts";
import type { MatrixPrecision } from "../../model/parameters.ts";
import type { FinishReason } from "../../rollout.ts";
import { tokensOfPrompt } from "../../text/prompt_tokens.ts";
import { StopTexts } from "../../text/stop_texts.ts";
import { loadTokenizer, type StreamDecoder, type Tokenizer } from "../../text/tokenizer.ts";
import type { Arguments, Command } from "../command.ts";
import { openPolicy } from "../models.ts";
import { generateSpec } from "../options.ts";
import type { Output } from "../output.ts";

type GenerateArguments = Arguments<typeof generateSpec.options>;

export const command: Command<typeof generateSpec.options> = {
  ...generateSpec,
  async run(args, context) {
    const { output, interrupt } = context;
    checkPrompt(args);
    const model = await openPolicy(args.model, context);
    // Ids in, ids out needs no tokenizer: such models are asked too.
    const needsText = args.prompt !== undefined || !args.ids || args.stop.length > 0;
    const tokenizer = needsText ? await loadTokenizer({ ...model, modelConfig: model.config.raw }) : null;
    const stops = tokenizer && args.stop.length > 0 ? new StopTexts(tokenizer, args.stop) : null;
    const prompt = readPrompt(args, model, tokenizer);
    const maxTokens = completionLimit(model, args.maxTokens);
    checkRoom(prompt, maxTokens, model);
    const gpu = await openGpu({ label: "generate" });
    try {
      const printer = tokenizer && !args.ids && !args.json ? new SamplePrinter(output, tokenizer) : null;
      const completions = await streamCompletions(
        gpu,
        {
          files: model,
          eosIds: tokenizer?.eosIds ?? model.config.eosIds,
          precision: args.dtype as MatrixPrecision | undefined,
        },
        {
          prompt,
          samples: args.samples,
          sampling: {
            temperature: args.temperature,
            topK: args.topK,
            topP: args.topP,
            minP: args.minP,
            maxTokens,
            seed: args.seed ?? 0,
          },
          stops,
          signal: interrupt.signal,
          onTokens: (sample, tokens, finish) => printer?.take(sample, tokens, finish),
        },
      );
      if (!printer) {
        for (const [i, completion] of completions.entries())
          printWhole(completion, i, args, output, tokenizer);
      }
      return 0;
    } finally {
      gpu.destroy();
    }
  },
};

function checkPrompt({ prompt, promptIds }: GenerateArguments): void {
  if ((prompt === undefined) !== (promptIds === undefined)) return;
  const found = prompt === undefined ? "neither is given" : "both are given";
  throw new ConfigError("cli/bad-prompt", `Cannot generate: of \`--prompt\` and \`--prompt-ids\` ${found}`, {
    hint: 'write `--prompt "7 + 9 ="` or `--prompt-ids 1,2,3`',
  });
}

function readPrompt(
  { prompt, promptIds }: GenerateArguments,
  { config }: ModelText,
  tokenizer: Tokenizer | null,
): Uint32Array {
  if (promptIds === undefined) {
    const ids = tokenizer && prompt ? tokensOfPrompt(prompt, { tokenizer }) : new Uint32Array(0);
    if (ids.length > 0) return ids;
    throw new ConfigError("cli/bad-prompt", "Cannot generate: the prompt is empty", {
      hint: "Give at least one character, or the ids of the tokens to start from with `--prompt-ids`.",
    });
  }
  const stranger = promptIds.find((id) => id >= config.vocabSize);
  if (stranger === undefined) return Uint32Array.from(promptIds);
  throw new DataError(
    "text/no-token",
    `Cannot generate after token ${stranger}: the model knows ids below ${config.vocabSize}`,
    { hint: "Check that the ids come from this model's tokenizer." },
  );
}

function checkRoom(prompt: Uint32Array, maxTokens: number, { config }: ModelText): void {
  if (prompt.length + maxTokens <= config.maxPositions) return;
  throw new ConfigError(
    "generator/no-room",
    `Cannot generate ${maxTokens} tokens after a prompt of ${prompt.length}: the model was made for ${config.maxPositions} in all`,
    { hint: "Shorten the prompt, or set `--max-tokens` lower." },
  );
}

/** Streams the first sample that is not done yet; holds back the others until it is their turn. */
class SamplePrinter {
  private readonly output: Output;
  private readonly tokenizer: Tokenizer;
  private readonly samples: { decoder: StreamDecoder; held: string; done: boolean }[] = [];
  private turn = 0;

  constructor(output: Output, tokenizer: Tokenizer) {
    this.output = output;
    this.tokenizer = tokenizer;
  }

  take(sample: number, tokens: readonly number[], finish: FinishReason | null): void {
    const entry = this.entry(sample);
    entry.held += entry.decoder.push(tokens);
    if (finish !== null) entry.held += `${entry.decoder.flush()}\n`;
    entry.done = finish !== null;
    for (let next = this.entry(this.turn); next.held !== ""; next = this.entry(this.turn)) {
      this.output.stream(next.held);
      next.held = "";
      if (!next.done) break;
      this.turn++;
    }
  }

  private entry(sample: number) {
    this.samples[sample] ??= {
      decoder: this.tokenizer.streamDecoder({ skipSpecial: true }),
      held: "",
      done: false,
    };
    return this.samples[sample];
  }
}

function printWhole(
  { tokens, logprobs, finishReason }: Completion,
  sample: number,
  args: GenerateArguments,
  output: Output,
  tokenizer: Tokenizer | null,
): void {
  if (args.ids) output.raw(tokens);
  else {
    output.event({
      event: "completion",
      sample,
      text: tokenizer?.decode(tokens, { skipSpecial: true }),
      ids: tokens,
      logprobs,
      finish_reason: finishReason,
    });
  }
}
