/**
 * Ports for the loop's data: messages of a closed union told apart by `kind`, typed arrays transferred and never cloned,
 * a bounded queue where asked for. Stages hold one end each; the port knows no stage.
 */
import { WorkerError } from "../errors.ts";

export interface PortMessage {
  kind: string;
}

export interface PortOptions {
  /** Messages that may be sent and not yet taken by the other side; no bound by default. */
  capacity?: number;
}

export interface TypedPort<In extends PortMessage, Out extends PortMessage> extends AsyncIterable<In> {
  /**
   * Sends as soon as there is room; resolves once sent. Typed arrays in the message are empty afterwards.
   * @throws WorkerError `port/closed`; TypeError for an array that was transferred before
   */
  send(message: Out): Promise<void>;
  /** Sends if there is room now; says whether it did. */
  trySend(message: Out): boolean;
  /** Takes the oldest message; waits for one; null once the port is closed and empty. */
  receive(): Promise<In | null>;
  /** Takes the oldest message if there is one. */
  poll(): In | undefined;
  /** Messages that arrived and are not taken. */
  readonly queued: number;
  /** Messages sent and not yet taken by the other side. */
  readonly inFlight: number;
  readonly closed: boolean;
  /** Closes both ends; what has arrived can still be taken. */
  close(): void;
}

type Envelope = { data: PortMessage } | { taken: number } | { bye: true };

/**
 * Finds what to transfer in a message and cuts views of larger buffers out of them, so that no buffer is moved or cloned
 * that the message does not own wholly. Returns the message (rebuilt where a view was cut) and the transfer list.
 * @throws TypeError for an array whose buffer was already transferred
 */
export function packMessage<M>(message: M): { message: M; transfer: Transferable[] } {
  const transfer = new Set<Transferable>();
  const seen = new Map<unknown, unknown>();
  const pack = (value: unknown): unknown => {
    if (typeof value !== "object" || value === null) return value;
    if (seen.has(value)) return seen.get(value);
    const packed = packObject(value);
    seen.set(value, packed);
    return packed;
  };
  const packObject = (value: object): unknown => {
    if (typeof MessagePort !== "undefined" && value instanceof MessagePort) {
      transfer.add(value);
      return value;
    }
    if (value instanceof ArrayBuffer) {
      transfer.add(value);
      return value;
    }
    if (ArrayBuffer.isView(value)) return packView(value);
    if (Array.isArray(value)) {
      const entries = value.map(pack);
      return entries.some((entry, index) => entry !== value[index]) ? entries : value;
    }
    if (Object.getPrototypeOf(value) !== Object.prototype) return value;
    let rebuilt: Record<string, unknown> | null = null;
    for (const [key, entry] of Object.entries(value)) {
      const packed = pack(entry);
      if (packed !== entry) {
        rebuilt ??= { ...value };
        rebuilt[key] = packed;
      }
    }
    return rebuilt ?? value;
  };
  const packView = (view: ArrayBufferView): ArrayBufferView => {
    const { buffer } = view;
    if (!(buffer instanceof ArrayBuffer)) return view;
    if (buffer.detached) {
      throw new TypeError("Sent an array that an earlier message took along: send a slice() of it instead");
    }
    let own = view;
    if (view.byteLength !== buffer.byteLength) {
      const bytes = buffer.slice(view.byteOffset, view.byteOffset + view.byteLength);
      own =
        view instanceof DataView
          ? new DataView(bytes)
          : new (view.constructor as Uint8ArrayConstructor)(bytes);
    }
    if (own.byteLength > 0) transfer.add(own.buffer as ArrayBuffer);
    return own;
  };
  return { message: pack(message) as M, transfer: [...transfer] };
}

/** Wraps one end of a MessageChannel; the other end must be wrapped as well. */
export function typedPort<In extends PortMessage, Out extends PortMessage>(
  port: MessagePort,
  options: PortOptions = {},
): TypedPort<In, Out> {
  const capacity = options.capacity ?? Number.POSITIVE_INFINITY;
  if (!(capacity >= 1)) throw new RangeError(`A port's capacity must be at least 1, got ${capacity}`);
  const arrived: In[] = [];
  const takers: { resolve(message: In | null): void; reject(error: unknown): void }[] = [];
  const senders: { message: Out; resolve(): void; reject(error: unknown): void }[] = [];
  let inFlight = 0;
  let closed = false;
  let failure: WorkerError | null = null;

  const post = (envelope: Envelope, transfer: Transferable[] = []) => port.postMessage(envelope, transfer);
  const acknowledge = () => {
    if (!closed) post({ taken: 1 });
  };
  const closedError = () =>
    failure ?? new WorkerError("port/closed", "Cannot send: the other side has closed the port");
  const transmit = (message: Out) => {
    const packed = packMessage(message);
    post({ data: packed.message }, packed.transfer);
    inFlight += 1;
  };
  const shut = () => {
    closed = true;
    for (const { reject } of senders.splice(0)) reject(closedError());
    for (const taker of takers.splice(0)) {
      if (failure === null) taker.resolve(null);
      else taker.reject(failure);
    }
    port.close();
  };
  const fail = (what: string) => {
    failure = new WorkerError("port/nonsense", `Received on a port ${what}: messages with a kind are needed`);
    shut();
  };
  const onTaken = (count: number) => {
    inFlight -= count;
    while (senders.length > 0 && inFlight < capacity) {
      const { message, resolve, reject } = senders.shift()!;
      try {
        transmit(message);
        resolve();
      } catch (error) {
        reject(error);
      }
    }
  };
  port.addEventListener("message", (event: MessageEvent<Partial<Record<string, unknown>> | null>) => {
    if (closed) return;
    const envelope = event.data ?? {};
    if (envelope.bye === true) return shut();
    if (typeof envelope.taken === "number") return onTaken(envelope.taken);
    const message = envelope.data as In | undefined;
    if (typeof message?.kind !== "string") return fail(JSON.stringify(event.data)?.slice(0, 80) ?? "nothing");
    const taker = takers.shift();
    if (taker === undefined) arrived.push(message);
    else {
      taker.resolve(message);
      acknowledge();
    }
  });
  port.addEventListener("messageerror", () => fail("what cannot be read"));
  port.start();

  const poll = () => {
    const message = arrived.shift();
    if (message !== undefined) acknowledge();
    return message;
  };
  const receive = () => {
    const message = poll();
    if (message !== undefined) return Promise.resolve(message);
    if (failure !== null) return Promise.reject(failure);
    if (closed) return Promise.resolve(null);
    return new Promise<In | null>((resolve, reject) => takers.push({ resolve, reject }));
  };
  const trySend = (message: Out) => {
    if (closed || senders.length > 0 || inFlight >= capacity) return false;
    transmit(message);
    return true;
  };
  return {
    trySend,
    poll,
    receive,
    send: async (message) => {
      if (closed) throw closedError();
      if (trySend(message)) return;
      await new Promise<void>((resolve, reject) => senders.push({ message, resolve, reject }));
    },
    get queued() {
      return arrived.length;
    },
    get inFlight() {
      return inFlight;
    },
    get closed() {
      return closed;
    },
    close: () => {
      if (closed) return;
      post({ bye: true });
      shut();
    },
    async *[Symbol.asyncIterator]() {
      for (let message = await receive(); message !== null; message = await receive()) yield message;
    },
  };
}
