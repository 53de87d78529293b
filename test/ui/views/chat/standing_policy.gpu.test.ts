/** Policies on a device: adapters come and go beside weights that are uploaded once, and answer as if loaded afresh. */
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { withAdapters } from "../../../../src/data/adapted.ts";
import { loadModelText, type ModelText, openModelMemory } from "../../../../src/data/source.ts";
import { type Gpu, openGpu } from "../../../../src/gpu/device.ts";
import { StandingPolicy } from "../../../../src/ui/views/chat/standing_policy.ts";
import { adapterFolder, modelFolder, task } from "./tiny_policy.ts";

const prompt = task.heldOut(1)[0].prompt as string;
const signal = new AbortController().signal;
let gpu: Gpu;
let base: ModelText;
let first: StandingPolicy;

const adapted = (b: number, rank = 2) => withAdapters(base, openModelMemory(adapterFolder(b, rank)));
const at = (version: number) => ({ version, step: version });

/** All that a policy says: logits bit by bit, and what it draws with their probabilities. */
async function voiceOf(policy: StandingPolicy) {
  const { logits } = await policy.next(prompt, [], 3);
  const { tokens } = await policy.chat(
    { which: "newest", prompt, temperature: 1, seed: 4 },
    signal,
    () => undefined,
  );
  return { logits, tokens };
}

async function freshVoice(model: ModelText) {
  const alone = await StandingPolicy.open(gpu, base, at(0));
  const policy = await StandingPolicy.open(gpu, model, at(1), alone);
  const voice = await voiceOf(policy);
  await policy.close();
  await alone.close();
  return voice;
}

beforeAll(async () => {
  gpu = await openGpu({ label: "standing policy test", baseOnly: true });
  base = await loadModelText(openModelMemory(modelFolder(0)));
  first = await StandingPolicy.open(gpu, base, at(0));
});
afterAll(() => gpu.destroy());

describe("StandingPolicy over another's weights", () => {
  it("exchanges adapters in place, bit by bit as a fresh load has them", async () => {
    const policy = await StandingPolicy.open(gpu, await adapted(0.5), at(1), first);
    const half = await voiceOf(policy);
    expect(half).toEqual(await freshVoice(await adapted(0.5)));
    const before = { made: gpu.allocations, bytes: gpu.allocatedBytes };
    const newer = await adapted(-0.25);
    const uploads = vi.spyOn(gpu.device.queue, "writeBuffer");
    await policy.take(newer, at(2), first);
    const written = uploads.mock.calls.map(([, , values]) => values.byteLength);
    uploads.mockRestore();
    const tensors = [...(newer.adapters?.at(-1)?.tensors.values() ?? [])];
    expect(written).toEqual(tensors.map(({ data }) => data.byteLength));
    expect({ made: gpu.allocations, bytes: gpu.allocatedBytes }).toEqual(before);
    expect([policy.version, policy.step]).toEqual([2, 2]);
    const quarter = await voiceOf(policy);
    expect(quarter.logits).not.toEqual(half.logits);
    expect(quarter).toEqual(await freshVoice(await adapted(-0.25)));
    await policy.take(await adapted(0.5), at(3), first);
    expect(await voiceOf(policy)).toEqual(half);
    await policy.close();
  });

  it("takes no second copy of the weights, and leaves them where they are when it goes", async () => {
    const before = { bytes: gpu.allocatedBytes, voice: await voiceOf(first) };
    const whole = await StandingPolicy.open(gpu, base, at(1));
    const ofItsOwn = gpu.allocatedBytes - before.bytes;
    await whole.close();
    const beside = await StandingPolicy.open(gpu, await adapted(0), at(1), first);
    expect(gpu.allocatedBytes - before.bytes).toBeLessThan(ofItsOwn);
    // Adapters that change nothing: the same weights, bit by bit.
    expect(await voiceOf(beside)).toEqual(before.voice);
    await beside.close();
    expect(gpu.allocatedBytes).toBe(before.bytes);
    expect(await voiceOf(first)).toEqual(before.voice);
  });

  it("makes room anew for adapters of another rank, and for weights of its own", async () => {
    const policy = await StandingPolicy.open(gpu, await adapted(0.5), at(1), first);
    await policy.take(await adapted(0.5, 3), at(2), first);
    expect(await voiceOf(policy)).toEqual(await freshVoice(await adapted(0.5, 3)));
    const other = await loadModelText(openModelMemory(modelFolder(5)));
    await policy.take(other, at(3), null);
    const alone = await StandingPolicy.open(gpu, other, at(3));
    expect(await voiceOf(policy)).toEqual(await voiceOf(alone));
    await policy.take(await adapted(0.5, 3), at(4), first);
    expect(await voiceOf(policy)).toEqual(await freshVoice(await adapted(0.5, 3)));
    await policy.close();
    await alone.close();
  });

  it("answers beside its base at the same time", async () => {
    const policy = await StandingPolicy.open(gpu, await adapted(0.5), at(1), first);
    const turns = [await voiceOf(first), await voiceOf(policy)];
    expect(await Promise.all([voiceOf(first), voiceOf(policy)])).toEqual(turns);
    await policy.close();
  });
});
