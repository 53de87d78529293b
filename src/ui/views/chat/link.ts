/** The page's end of the chat: starts the worker when somebody wants to talk and ends it some time after they left. */
import { connect, proxy } from "../../../rpc/connect.ts";
import type { ChatApi } from "./api.ts";

/** The worker's API as it is called from here. */
export type RemoteChat = {
  [K in keyof ChatApi]: (...args: Parameters<ChatApi[K]>) => Promise<Awaited<ReturnType<ChatApi[K]>>>;
};

export interface ChatLink {
  api: RemoteChat;
  /** Calls back once when the worker dies by itself. */
  onDeath(callback: (error: Error) => void): void;
  close(): void;
}

/** @throws WorkerError */
export async function openChatLink(): Promise<ChatLink> {
  const worker = new Worker(new URL("../../../../workers/chat.ts", import.meta.url), { type: "module" });
  const connection = await connect<ChatApi>(worker, { name: "chat" });
  const remote = connection.api as unknown as RemoteChat;
  const api: RemoteChat = {
    open: (source) => remote.open(source),
    newerStep: () => remote.newerStep(),
    renew: () => remote.renew(),
    read: (prompt) => remote.read(prompt),
    nextTokens: (...args) => remote.nextTokens(...args),
    describe: (ids) => remote.describe(ids),
    chat: (request, onTokens) => remote.chat(request, proxy(onTokens)),
    grade: (problem, ids) => remote.grade(problem, ids),
    stop: () => remote.stop(),
    loseDevice: () => remote.loseDevice(),
  };
  return { api, onDeath: (callback) => void connection.onDeath(callback), close: () => connection.dispose() };
}

/** A link that is opened at its first use, and again after its worker's death. */
export class ChatLine {
  private readonly open: () => Promise<ChatLink>;
  private readonly onDeath: (error: Error) => void;
  private link: Promise<ChatLink> | null = null;

  constructor(open: () => Promise<ChatLink>, onDeath: (error: Error) => void) {
    this.open = open;
    this.onDeath = onDeath;
  }

  /** @throws WorkerError */
  async api(): Promise<RemoteChat> {
    this.link ??= this.begin();
    return (await this.link).api;
  }

  /** Gives worker and device back. */
  close(): void {
    const { link } = this;
    this.link = null;
    // One that never opened has been told about where it was asked for.
    link?.then((opened) => opened.close()).catch(() => undefined);
  }

  private async begin(): Promise<ChatLink> {
    try {
      const link = await this.open();
      link.onDeath((error) => {
        this.link = null;
        this.onDeath(error);
      });
      return link;
    } catch (error) {
      this.link = null;
      throw error;
    }
  }
}
