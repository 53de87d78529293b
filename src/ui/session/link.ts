/**
 * The page's end of the session worker: started when it is first needed, and again after its death. What calls it has to
 * load is loaded with it, so that the page's first load stays small.
 */
import type { SessionApi, SessionEvent } from "./api.ts";

/** `SessionApi` as it looks from the page's thread. */
export type RemoteSession = {
  [K in keyof SessionApi]: (
    ...args: Parameters<SessionApi[K]>
  ) => Promise<Awaited<ReturnType<SessionApi[K]>>>;
};

export interface SessionLink {
  api: RemoteSession;
  /** Makes a function that the worker can call. */
  callback<T extends object>(callback: T): T;
  dispose(): void;
}

export interface LinkHandlers {
  onEvents(events: SessionEvent[]): void;
  /** The worker has died by itself. */
  onDeath(error: Error): void;
}

/** Silence of the worker's thread, which also packs zips and weights, that counts as death. */
const HEARTBEAT_MS = 60_000;

export async function openSession({ onEvents, onDeath }: LinkHandlers): Promise<SessionLink> {
  const { connect, proxy, transfer } = await import("../../rpc/connect.ts");
  const worker = new Worker(new URL("../../../workers/session.ts", import.meta.url), { type: "module" });
  // It waits in every open page, which a browser may then freeze.
  const options = { name: "session", heartbeatMs: HEARTBEAT_MS, lifeLock: false };
  const connection = await connect<SessionApi>(worker, options);
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = ({ data }: MessageEvent<SessionEvent[]>) => onEvents(data);
  connection.onDeath((error) => {
    port1.close();
    onDeath(error);
  });
  await connection.api.open(transfer(port2, [port2]), document.baseURI);
  return {
    api: connection.api as unknown as RemoteSession,
    callback: (callback) => proxy(callback),
    dispose: () => connection.dispose(),
  };
}
