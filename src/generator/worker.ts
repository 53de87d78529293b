/** The generator as a worker serves it: takes groups from its port, decodes without pause, reports. Implements `GeneratorApi`. */
import { settleHalfForm } from "../bench/require_self_test.ts";
import { openWeights } from "../data/weights_handle.ts";
import { WorkerError } from "../errors.ts";
import type { Gpu } from "../gpu/device.ts";
import { logQueue } from "../gpu/queue_log.ts";
import { traceClock } from "../metrics/trace.ts";
import { encodeError } from "../rpc/errors.ts";
import { type TypedPort, typedPort } from "../rpc/port.ts";
import { StopTexts } from "../text/stop_texts.ts";
import { loadTokenizer } from "../text/tokenizer.ts";
import { openWeightReader, shardPayload, unpackShards, type WeightReader } from "../weights/api.ts";
import type { FromGenerator, GeneratorApi, GeneratorOptions, GeneratorReady, ToGenerator } from "./api.ts";
import { GeneratorEngine } from "./engine.ts";

const FIRST_WEIGHTS_MS = 120_000;
const REPORT_EVERY_MS = 250;

export class GeneratorWorker implements Omit<GeneratorApi, "hang"> {
  private readonly open: (maxMemoryBytes?: number) => Promise<Gpu>;
  private engine: GeneratorEngine | null = null;

  constructor(open: (maxMemoryBytes?: number) => Promise<Gpu>) {
    this.open = open;
  }

  async start(options: GeneratorOptions, port: MessagePort): Promise<GeneratorReady> {
    const gpu = await this.open(options.maxMemoryBytes);
    const halves = options.precision === "f16" || options.cachePrecision === "f16";
    if (halves && options.selfTest !== false) await settleHalfForm(gpu);
    const { stop } = options;
    // Only where texts end completions: a large vocabulary takes a while to read.
    const stops = stop ? new StopTexts(await loadTokenizer(stop.tokenizer), stop.texts) : null;
    const engine = await GeneratorEngine.create(gpu, options, stops);
    this.engine = engine;
    if (options.adapters) await engine.load(await openWeights(options.model, options.config));
    const reader = openWeightReader(options.weights, { verify: options.verifyWeights });
    if ((await reader.waitForNewer(-1, FIRST_WEIGHTS_MS)) === null) {
      throw new WorkerError(
        "generator/no-weights",
        `Cannot generate: no weights were published within ${FIRST_WEIGHTS_MS / 1000} s`,
        {
          hint: "The trainer publishes the first version when it starts; look for its error.",
        },
      );
    }
    this.takeWeights(reader, options);
    const ends = typedPort<ToGenerator, FromGenerator>(port);
    this.decode(engine, reader, ends, options).catch((error: unknown) =>
      ends.send({ kind: "failed", error: encodeError(error) }),
    );
    return { adapter: gpu.adapterName, allocatedBytes: gpu.allocatedBytes + gpu.supportBytes };
  }

  loseDevice(): void {
    this.engine?.gpu.destroy();
  }

  /** Between two chunks: new weights if there are any, new groups, one chunk, finished completions. */
  private async decode(
    engine: GeneratorEngine,
    reader: WeightReader,
    port: TypedPort<ToGenerator, FromGenerator>,
    options: GeneratorOptions,
  ): Promise<void> {
    const queueLog = logQueue(engine.gpu);
    let reported = performance.now();
    while (!port.closed) {
      for (let message = port.poll(); message; message = port.poll()) engine.admit(message.groups);
      if (reader.newestVersion() > engine.version) {
        const from = traceClock();
        this.takeWeights(reader, options);
        engine.report.swapMs += engine.spans.add("take weights", from, { version: engine.version }) - from;
      }
      if (engine.busy) {
        const rollouts = await engine.advance();
        if (rollouts.length > 0) await port.send({ kind: "rollouts", rollouts, at: engine.decodedAt });
      } else {
        const from = traceClock();
        const message = await port.receive();
        engine.report.idleMs += engine.spans.add("wait", from) - from;
        if (message === null) break;
        engine.admit(message.groups);
      }
      if (performance.now() - reported > REPORT_EVERY_MS || !engine.busy) {
        const [spans, gpuSpans] = [engine.spans.take(), queueLog.take()];
        await port.send({ kind: "report", report: engine.takeReport(), spans, gpuSpans });
        reported = performance.now();
      }
    }
    reader.close();
    engine[Symbol.dispose]();
    engine.gpu.destroy();
  }

  private takeWeights(reader: WeightReader, options: GeneratorOptions): void {
    const engine = this.engine!;
    const payload = shardPayload(engine.versioned.layout, options.format);
    reader.read((bytes, version) => engine.setWeights(unpackShards(payload, bytes), version));
  }
}
