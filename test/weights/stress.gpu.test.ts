import { afterEach, describe, expect, it } from "vitest";
import { type Connection, connect } from "../../src/rpc/connect.ts";
import { createBoard, openWriter, releaseReader } from "../../src/weights/board.ts";
import type { BoardApi } from "./board_worker.ts";

const versions = 10_000;
const connections: Connection<BoardApi>[] = [];
const start = async (name: string) => {
  const worker = new Worker(new URL("./board_worker.ts", import.meta.url), { type: "module" });
  const connection = await connect<BoardApi>(worker, { name });
  connections.push(connection);
  return connection;
};
afterEach(() => {
  for (const connection of connections.splice(0)) connection.dispose();
});

// Broken on purpose when written: a writer that ignores leases, and a reader that does not look again after leasing, both
// fail the first test on a fingerprint.
describe("the weight board under stress", () => {
  it(`carries ${versions} versions from one writer to four readers, each read whole`, async () => {
    const handle = createBoard({ byteLength: 16_384, readers: 4 });
    const writer = await start("writer");
    const readers = await Promise.all([0, 1, 2, 3].map((index) => start(`reader ${index}`)));
    const reading = readers.map(({ api }, index) => api.readUntil(handle, index, versions - 1));
    const written = await writer.api.write(handle, 0, versions - 1);
    const reports = await Promise.all(reading);

    for (const [index, { reads, broken }] of reports.entries()) {
      expect(broken, `reader ${index}`).toEqual([]);
      expect(reads.at(-1)?.version).toBe(versions - 1);
      expect(reads.length).toBeGreaterThan(20);
      for (const { version, fingerprint } of reads) {
        if (fingerprint !== written.fingerprints[version])
          expect.unreachable(`fingerprint of version ${version}`);
      }
    }
    expect(new Set(written.fingerprints).size).toBe(versions);
    const counts = reports.map(({ reads }) => reads.length).join(", ");
    console.log(
      `${versions} versions in ${written.totalMs.toFixed(0)} ms, longest wait of the writer ` +
        `${written.longestWaitMs.toFixed(1)} ms, reads ${counts}`,
    );
    // A copy takes microseconds; what remains is the scheduler's.
    expect(written.longestWaitMs).toBeLessThan(1000);
  }, 60_000);

  it("frees the lease of a reader that was killed within its copy", async () => {
    const handle = createBoard({ byteLength: 1024, readers: 3 });
    const local = openWriter(handle);
    await local.publish(0, (bytes) => void bytes.fill(1));
    const leased = new Int32Array(new SharedArrayBuffer(4));
    for (const index of [0, 1]) {
      const victim = await start(`victim ${index}`);
      Atomics.store(leased, 0, 0);
      void victim.api.dieHolding(handle, index, leased).then(null, () => undefined);
      await Atomics.waitAsync(leased, 0, 0).value;
      victim.dispose();
      await local.publish(index + 1, (bytes) => void bytes.fill(1));
    }
    // Both slots beside the newest are leased by the dead: the writer cannot go on alone.
    const writer = await start("writer");
    const writing = writer.api.write(handle, 10, 200);
    const survivor = await start("reader");
    const reading = survivor.api.readUntil(handle, 2, 200);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(local.newestVersion()).toBe(2);
    releaseReader(handle, 0);
    await writing;
    expect((await reading).broken).toEqual(["version 2 is torn at word 0"]);
    expect(local.newestVersion()).toBe(200);
  }, 60_000);
});
