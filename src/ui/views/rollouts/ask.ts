/** The prompt that the rollouts view hands to the chat: "ask version 0 and now". */
import { signal } from "@preact/signals";

/** Set by the rollouts view just before it opens the chat, which takes it and sets null again. */
export const askPrompt = signal<string | null>(null);
