import { afterEach, describe, expect, it } from "vitest";
import {
  createBoard,
  highestVersion,
  openReader,
  openWriter,
  releaseReader,
} from "../../src/weights/board.ts";
import {
  createWeightExchange,
  openWeightReader,
  openWeightWriter,
  type WeightExchange,
} from "../../src/weights/exchange.ts";
import { fingerprint } from "../../src/weights/fingerprint.ts";

const fillWith = (value: number) => (bytes: Uint8Array) => void bytes.fill(value);
const turn = () => new Promise((resolve) => setTimeout(resolve, 10));

let exchange: WeightExchange | undefined;
afterEach(() => exchange?.close());

describe.each([
  ["the board", true],
  ["transferred buffers", false],
])("an exchange over %s", (_, shared) => {
  const open = (readers = 1) => {
    exchange = createWeightExchange({ byteLength: 24, readers, shared });
    const made = exchange;
    const writer = openWeightWriter(made.writerHandle());
    return {
      made,
      writer,
      readers: Array.from({ length: readers }, (_, i) => openWeightReader(made.readerHandle(i))),
    };
  };

  it("has nothing to read before the first version", async () => {
    const { writer, readers } = open();
    expect(readers[0].read(() => expect.unreachable())).toBeNull();
    expect([writer.newestVersion(), readers[0].newestVersion()]).toEqual([-1, -1]);
    expect(await readers[0].waitForNewer(-1, 15)).toBeNull();
  });

  it("gives every reader the newest whole version with its fingerprint", async () => {
    const { writer, readers } = open(3);
    for (const version of [0, 1, 5, 6, 40]) {
      const published = await writer.publish(version, fillWith(version));
      expect(published.fingerprint).toBe(fingerprint(new Uint8Array(24).fill(version)));
      for (const reader of readers) {
        expect(await reader.waitForNewer(version - 1, 1000)).toBe(version);
        const seen: number[] = [];
        const read = reader.read((bytes, number) => seen.push(number, ...bytes));
        expect(read).toEqual(published);
        expect(seen).toEqual([version, ...new Array(24).fill(version)]);
      }
    }
  });

  it("wakes a reader that waits", async () => {
    const { writer, readers } = open();
    const waiting = readers[0].waitForNewer(-1, 5000);
    await turn();
    await writer.publish(3, fillWith(3));
    expect(await waiting).toBe(3);
  });

  it("lets a slow reader skip versions", async () => {
    const { writer, readers } = open();
    for (let version = 0; version < 10; version += 1) await writer.publish(version, fillWith(version));
    while (((await readers[0].waitForNewer(readers[0].newestVersion(), 30)) ?? 9) < 9);
    expect(readers[0].read(() => undefined)?.version).toBe(9);
  });

  it("refuses versions that do not rise, and publishes nothing when the filling fails", async () => {
    const { writer, readers } = open();
    await writer.publish(2, fillWith(2));
    await expect(writer.publish(2, fillWith(9))).rejects.toThrow(RangeError);
    const failing = writer.publish(3, () => {
      throw new Error("read-back failed");
    });
    await expect(failing).rejects.toThrow("read-back failed");
    await readers[0].waitForNewer(-1, 1000);
    expect(readers[0].read((bytes) => expect(bytes[0]).toBe(2))?.version).toBe(2);
    expect((await writer.publish(3, fillWith(3))).version).toBe(3);
  });

  it("goes on with a new writer and a new reader", async () => {
    const { made, writer } = open();
    await writer.publish(4, fillWith(4));
    await turn();
    const successor = openWeightWriter(made.writerHandle());
    expect(successor.newestVersion()).toBe(4);
    await successor.publish(5, fillWith(5));
    const late = openWeightReader(made.readerHandle(0));
    expect(await late.waitForNewer(4, 1000)).toBe(5);
    expect(late.read((bytes) => expect(bytes[23]).toBe(5))?.version).toBe(5);
  });

  it("ends a wait when the reader closes", async () => {
    const { readers } = open();
    const waiting = readers[0].waitForNewer(-1, 2000);
    readers[0].close();
    expect(() => readers[0].read(() => undefined)).toThrow(TypeError);
    expect(await waiting).toBeNull();
  });
});

describe("the weight board", () => {
  it("never gives a slot to the writer that a reader holds, and frees a dead reader's", async () => {
    const handle = createBoard({ byteLength: 8, readers: 2 });
    const writer = openWriter(handle);
    const [first, second] = [openReader(handle, 0), openReader(handle, 1)];
    await writer.publish(1, fillWith(1));
    // Nothing in a copy may await, so the second version is published between two looks at the first.
    const slotOfFirst = first.read((held) => {
      void writer.publish(2, fillWith(2));
      expect(held[0]).toBe(1);
    });
    expect(slotOfFirst?.version).toBe(1);
    await turn();
    expect(second.read((held) => expect(held[0]).toBe(2))?.version).toBe(2);
    // Leases written by hand stand for two readers that died within a copy.
    const words = new Int32Array(handle.control);
    const newestSlot = () => Atomics.load(words, 0) & 3;
    const leases = words.length - 2;
    Atomics.store(words, leases, newestSlot());
    await writer.publish(3, fillWith(3));
    Atomics.store(words, leases + 1, newestSlot());
    await writer.publish(4, fillWith(4));
    let finished = false;
    const blocked = writer.publish(5, fillWith(5)).then(() => {
      finished = true;
    });
    await turn();
    expect(finished).toBe(false);
    expect(writer.newestVersion()).toBe(4);
    releaseReader(handle, 1);
    await blocked;
    expect(
      openReader(handle, 1).read((bytes) => expect([...bytes]).toEqual(new Array(8).fill(5)))?.version,
    ).toBe(5);
  });

  it("notices bytes that are not those published", async () => {
    const handle = createBoard({ byteLength: 8, readers: 1 });
    await openWriter(handle).publish(1, fillWith(1));
    const slot = Atomics.load(new Int32Array(handle.control), 0) & 3;
    new Uint8Array(handle.slots[slot])[3] = 7;
    const reader = openReader(handle, 0);
    expect(() => reader.read(() => expect.unreachable())).toThrow(
      expect.objectContaining({ code: "weights/fingerprint" }),
    );
    expect(openReader(handle, 0, { verify: false }).read(() => undefined)?.version).toBe(1);
  });

  it("refuses impossible sizes, readers and versions", async () => {
    expect(() => createBoard({ byteLength: 0, readers: 1 })).toThrow(RangeError);
    const handle = createBoard({ byteLength: 8, readers: 2 });
    expect(() => openReader(handle, 2)).toThrow(RangeError);
    await expect(openWriter(handle).publish(highestVersion + 1, fillWith(0))).rejects.toThrow(RangeError);
    expect((await openWriter(handle).publish(highestVersion, fillWith(0))).version).toBe(highestVersion);
    expect(openReader(handle, 0).newestVersion()).toBe(highestVersion);
  });
});
