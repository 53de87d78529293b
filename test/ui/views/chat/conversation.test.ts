import { describe, expect, it } from "vitest";
import { GpuLostError } from "../../../../src/errors.ts";
import { makeTask } from "../../../../src/tasks/registry.ts";
import type { ChatAnswer, ChatSubject, ChatToken, Which } from "../../../../src/ui/views/chat/api.ts";
import { Conversation } from "../../../../src/ui/views/chat/conversation.ts";
import { drawToken } from "../../../../src/ui/views/chat/distribution.ts";
import type { ChatLink, RemoteChat } from "../../../../src/ui/views/chat/link.ts";

const task = makeTask("chain_sum", {}, 0);
const END = 3;
const SOURCE = { base: "b", model: "m", run: "r", verifier: {} };
const SUBJECT: ChatSubject = {
  adapter: "",
  first: { version: 0, step: 0 },
  newest: { version: 7, step: 7 },
  tasks: [{ name: "chain_sum", options: { ...task.options } }],
  maxTokens: 4,
  conversational: false,
};

const token = (id: number): ChatToken => ({ id, text: `t${id}`, logprob: -1, end: id === END });

/** A worker of four tokens whose logits depend on how much is begun, told as calls. */
class FakeChat {
  calls: string[] = [];
  subject: ChatSubject = SUBJECT;
  newest = SUBJECT.newest;
  refusal: string | null = null;
  opened = 0;
  closed = 0;
  /** Answers wait for this. */
  gate: Promise<unknown> = Promise.resolve();
  reading: Promise<unknown> = Promise.resolve();
  failing: Error | null = null;
  mourn: (error: Error) => void = () => undefined;

  link = async (): Promise<ChatLink> => {
    this.opened++;
    return {
      api: this.api,
      onDeath: (callback) => {
        this.mourn = callback;
      },
      close: () => {
        this.closed++;
      },
    };
  };

  logits(which: Which, at: number): Float32Array {
    return Float32Array.from([0, 1, which === "first" ? 0 : 1, at >= 2 ? 4 : -4]);
  }

  readonly api: RemoteChat = {
    open: async () => this.subject,
    newerStep: async () => (this.newest?.step === SUBJECT.newest?.step ? null : (this.newest?.step ?? null)),
    renew: async () => {
      this.calls.push("renew");
      return this.newest;
    },
    read: async () => {
      await this.reading;
      return this.refusal === null ? { ok: true, tokens: ["p"] } : { ok: false, reason: this.refusal };
    },
    nextTokens: async (which, _prompt, begun) => {
      this.calls.push(`next ${which} ${begun.join("")}`);
      const version = this.version(which);
      const top = [0, 1, 2, 3].map((id) => ({ id, text: `t${id}`, end: id === END }));
      return { logits: this.logits(which, begun.length), top, version };
    },
    describe: async (ids) => ids.map((id) => ({ id, text: `t${id}`, end: id === END })),
    chat: async ({ which, temperature, seed }, onTokens): Promise<ChatAnswer> => {
      this.calls.push(`chat ${which} ${temperature} ${seed}`);
      if (this.failing) throw this.failing;
      onTokens([token(1)]);
      await this.gate;
      onTokens([token(END)]);
      return { tokens: [token(1), token(END)], finishReason: "stop", version: this.version(which) };
    },
    grade: async (problem, ids) => ({
      correct: ids.length === 2,
      reward: 1,
      found: problem.answer,
      expected: problem.answer,
      reason: "",
    }),
    stop: async () => {
      this.calls.push("stop");
    },
    loseDevice: async () => undefined,
  };

  private version(which: Which): number {
    return which === "first" ? 0 : (this.newest?.version ?? 0);
  }
}

async function talk(change: (fake: FakeChat) => void = () => undefined) {
  const fake = new FakeChat();
  change(fake);
  const conversation = new Conversation(fake.link);
  await conversation.about(SOURCE);
  conversation.type("3+4");
  await conversation.settle();
  fake.calls.length = 0;
  return { fake, conversation, columns: conversation.columns };
}

describe("Conversation", () => {
  it("shows what could come first in both columns as soon as a question stands", async () => {
    const { conversation, columns } = await talk();
    expect(conversation.question.value?.shown).toBe("3 + 4 =");
    expect(conversation.reading.value).toEqual({ tokens: ["p"] });
    for (const which of ["first", "newest"] as const) expect(columns[which].value.next?.top).toHaveLength(4);
  });

  it("asks both with one seed and temperature, judges, and remembers", async () => {
    const { fake, conversation, columns } = await talk();
    conversation.temperature.value = 0.5;
    await conversation.ask();
    expect(fake.calls.filter((call) => call.startsWith("chat"))).toEqual([
      "chat first 0.5 1",
      "chat newest 0.5 1",
    ]);
    expect(columns.newest.value).toMatchObject({ phase: "done", finish: "stop", version: 7 });
    expect(columns.first.value.verdict).toMatchObject({ correct: true, expected: "7" });
    const [entry] = conversation.history.value;
    expect(entry).toMatchObject({
      temperature: 0.5,
      seed: 1,
      answers: { first: { text: "t1", version: 0 } },
    });
  });

  it("takes the next seed only where the same would be asked once more", async () => {
    const { conversation } = await talk();
    await conversation.ask();
    expect(conversation.repeats.value).toBe(true);
    await conversation.ask();
    expect(conversation.seed.value).toBe(2);
    conversation.temperature.value = 2;
    expect(conversation.repeats.value).toBe(false);
    await conversation.ask();
    expect(conversation.seed.value).toBe(2);
    expect(conversation.repeats.value).toBe(true);
    await conversation.about({ ...SOURCE, run: "another" });
    expect(conversation.repeats.value).toBe(false);
  });

  it("shows tokens as they come and does not take a second question meanwhile", async () => {
    let open: (value: unknown) => void = () => undefined;
    const { fake, conversation, columns } = await talk((each) => {
      each.gate = new Promise((resolve) => {
        open = resolve;
      });
    });
    const asked = conversation.ask();
    await expect.poll(() => columns.newest.value.tokens.length).toBe(1);
    expect([conversation.busy.value, columns.first.value.phase]).toEqual([true, "writing"]);
    await conversation.ask();
    open(null);
    await asked;
    expect(fake.calls.filter((call) => call.startsWith("chat"))).toHaveLength(2);
    expect(conversation.busy.value).toBe(false);
  });

  it("asks what was typed last even where it has not been read yet", async () => {
    const { fake, conversation, columns } = await talk();
    let read: (value: unknown) => void = () => undefined;
    fake.reading = new Promise((resolve) => {
      read = resolve;
    });
    conversation.type("5+5");
    const settled = conversation.settle();
    const asked = conversation.ask();
    read(null);
    await Promise.all([settled, asked]);
    expect(columns.newest.value.phase).toBe("done");
    expect(conversation.history.value[0].question.shown).toBe("5 + 5 =");
  });

  it("drops an answer whose question was changed meanwhile, and tells the worker to stop", async () => {
    let open: (value: unknown) => void = () => undefined;
    const { fake, conversation, columns } = await talk((each) => {
      each.gate = new Promise((resolve) => {
        open = resolve;
      });
    });
    const asked = conversation.ask();
    await expect.poll(() => columns.newest.value.tokens.length).toBe(1);
    conversation.type("5+5");
    await conversation.settle();
    open(null);
    await asked;
    expect(fake.calls).toContain("stop");
    expect(columns.first.value).toMatchObject({ phase: "empty", tokens: [] });
    expect(conversation.history.value).toEqual([]);
  });

  it("steps as the generator would draw, to the end, and begins anew after it", async () => {
    const { fake, conversation, columns } = await talk();
    const isDone = () => columns.first.value.phase === "done" && columns.newest.value.phase === "done";
    for (let steps = 0; steps < SUBJECT.maxTokens && !isDone(); steps++) await conversation.stepBoth();
    const { tokens } = columns.first.value;
    expect(tokens.map(({ id }) => id)).toEqual(
      tokens.map((_, at) => drawToken(fake.logits("first", at), 1, 1, at)),
    );
    expect(columns.first.value).toMatchObject({ phase: "done", verdict: { expected: "7" } });
    expect(columns.newest.value.phase).toBe("done");
    await conversation.stepBoth();
    expect([columns.first.value.tokens.length, columns.newest.value.tokens.length]).toEqual([1, 1]);
  });

  it("redraws from the place looked at on and leaves the other column alone", async () => {
    const { conversation, columns } = await talk();
    await conversation.ask();
    const other = columns.first.value.tokens;
    await conversation.look("newest", 0);
    const drawn = new Set<number>();
    for (let i = 0; i < 30; i++) {
      await conversation.look("newest", 0);
      await conversation.redraw("newest");
      expect(columns.newest.value.tokens).toHaveLength(1);
      drawn.add(columns.newest.value.tokens[0].id);
    }
    expect(drawn.size).toBeGreaterThan(1);
    expect(columns.first.value.tokens).toBe(other);
  });

  it("asks the worker about a place only once while the policy stays the same", async () => {
    const { fake, conversation } = await talk();
    await conversation.look("first", 0);
    expect(fake.calls).toEqual([]);
    fake.newest = { version: 8, step: 8 };
    await conversation.ask();
    expect(fake.calls.filter((call) => call.startsWith("next"))).toEqual(["next newest "]);
  });

  it("takes a newer policy at once where nothing was asked, and else says so", async () => {
    const { fake, conversation, columns } = await talk();
    fake.newest = { version: 8, step: 8 };
    await conversation.lookForNewer();
    expect(conversation.subject.value?.newest).toEqual({ version: 8, step: 8 });
    expect(columns.newest.value.next?.version).toBe(8);
    await conversation.ask();
    fake.newest = { version: 9, step: 9 };
    await conversation.lookForNewer();
    expect([conversation.newer.value, conversation.subject.value?.newest?.version]).toEqual([9, 8]);
  });

  it("asks the first alone where there is no newest", async () => {
    const { fake, conversation } = await talk((each) => {
      each.subject = { ...SUBJECT, newest: null };
      each.newest = null;
    });
    await conversation.ask();
    await conversation.stepBoth();
    expect(fake.calls.some((call) => call.includes("newest"))).toBe(false);
    expect(conversation.history.value[0].answers.newest).toBeNull();
  });

  it("refuses what has no token, with the reason, and asks nothing", async () => {
    const { fake, conversation } = await talk((each) => {
      each.refusal = "no token for “×”";
    });
    expect(conversation.reading.value).toEqual({ reason: "no token for “×”" });
    expect(conversation.columns.first.value.next).toBeNull();
    await conversation.ask();
    expect(fake.calls).toEqual([]);
  });

  it("looks at no place after what cannot be read, also where a newer policy was saved meanwhile", async () => {
    const { fake, conversation } = await talk((each) => {
      each.refusal = "no token for “×”";
    });
    fake.newest = { version: 8, step: 8 };
    await conversation.lookForNewer();
    await conversation.look("first", 0);
    expect(fake.calls).toEqual(["renew"]);
    expect(conversation.phase.value).toBe("ready");
  });

  it("knows what it has read of a question that is spelt differently, or typed once more", async () => {
    const { fake, conversation } = await talk();
    for (const typed of ["3 + 4 ", "3+", "3+4"]) conversation.type(typed);
    await conversation.settle();
    expect(conversation.reading.value).toEqual({ tokens: ["p"] });
    await conversation.ask();
    expect(fake.calls.filter((call) => call.startsWith("chat"))).toHaveLength(2);
  });

  it("asks what was typed over an answer as soon as that has stopped, and once", async () => {
    let open: (value: unknown) => void = () => undefined;
    const { conversation, columns } = await talk((each) => {
      each.gate = new Promise((resolve) => {
        open = resolve;
      });
    });
    const first = conversation.ask();
    await expect.poll(() => columns.newest.value.tokens.length).toBe(1);
    conversation.type("5+5");
    const second = [conversation.ask(), conversation.ask()];
    await expect.poll(() => columns.newest.value.next?.place).toContain("5 + 5");
    // What waits for the answer's end does so by now.
    await new Promise((resolve) => setTimeout(resolve, 10));
    open(null);
    await Promise.all([first, ...second]);
    expect(conversation.history.value.map(({ question }) => question.shown)).toEqual(["5 + 5 ="]);
    expect(columns.first.value.phase).toBe("done");
  });

  it("begins the seeds anew after the greatest", async () => {
    const { conversation } = await talk();
    conversation.seed.value = 2 ** 31 - 1;
    await conversation.ask();
    await conversation.ask();
    expect(conversation.seed.value).toBe(0);
  });

  it("draws problems of the task that training never sees, with their answer", async () => {
    const { conversation } = await talk();
    expect(await conversation.drawProblem(() => 0.3)).toBe(true);
    const { problem, caution } = conversation.question.value!;
    expect(task.heldOut(200).map(({ columns }) => columns.expression)).toContain(problem?.columns.expression);
    expect([problem?.answer, caution]).toEqual([expect.any(String), null]);
  });

  it("puts an earlier question back with its settings", async () => {
    const { conversation } = await talk();
    conversation.temperature.value = 2;
    conversation.seed.value = 9;
    await conversation.ask();
    conversation.type("1+1");
    conversation.temperature.value = 1;
    conversation.seed.value = 3;
    await conversation.recall(conversation.history.value[0]);
    expect(conversation.question.value?.shown).toBe("3 + 4 =");
    expect([conversation.temperature.value, conversation.seed.value]).toEqual([2, 9]);
  });

  it("tells what failed with what helps, and goes on after opening again", async () => {
    const { fake, conversation } = await talk();
    fake.failing = new GpuLostError("gpu/lost", "gone", { hint: "for the command line" });
    await conversation.ask();
    expect(conversation.phase.value).toBe("failed");
    expect(conversation.failure.value).toMatchObject({
      code: "gpu/lost",
      hint: expect.stringContaining("new device"),
    });
    fake.failing = null;
    await conversation.open();
    expect([conversation.phase.value, conversation.failure.value]).toEqual(["ready", null]);
    await conversation.ask();
    expect(conversation.history.value).toHaveLength(1);
  });

  it("starts another worker after one has died", async () => {
    const { fake, conversation } = await talk();
    fake.mourn(new Error("killed"));
    expect(conversation.failure.value?.message).toBe("killed");
    await conversation.open();
    expect([fake.opened, conversation.phase.value]).toEqual([2, "ready"]);
    conversation.close();
    await expect.poll(() => fake.closed).toBe(1);
  });
});
