/** The way from the frame to the session: fetched when something is asked of it, its refusals shown where they are seen. */
import { signal } from "@preact/signals";
import type { SessionClient } from "../session/client.ts";

type ClientModule = typeof import("../session/client.ts");

/** The session's code, once something was asked of it; read by who must not fetch it. */
export const sessionModule = signal<ClientModule | null>(null);

/** The session's client; what could not be fetched is fetched again at the next call. */
export async function session(): Promise<SessionClient> {
  sessionModule.value ??= await import("../session/client.ts");
  return sessionModule.value.session;
}

/** Something that was asked for and could not be done. */
export interface Trouble {
  message: string;
  hint?: string;
}

export const trouble = signal<Trouble | null>(null);

export function troubleOf(error: unknown): Trouble {
  if (!(error instanceof Error)) return { message: String(error) };
  const { hint } = error as { hint?: unknown };
  return { message: error.message, ...(typeof hint === "string" && { hint }) };
}

/** Asks something of the session; what goes wrong is told on the page, and the answer is null. */
export async function ask<T>(what: (client: SessionClient) => T | Promise<T>): Promise<T | null> {
  try {
    trouble.value = null;
    return await what(await session());
  } catch (error) {
    trouble.value = troubleOf(error);
    return null;
  }
}
