/**
 * What a model may need that no recipe, address or storage may hold: folders that were given to the page, the hub's address
 * and a token for it. Forgotten with the page.
 */
import { signal } from "@preact/signals";
import type { ModelAccess } from "../session/api.ts";

/** Folders by name, their files by name; used as `dropped:NAME`. */
export const dropped = signal<NonNullable<ModelAccess["dropped"]>>({});
export const hubToken = signal("");
/** Where the hub is; "" is its public address. */
export const hubAddress = signal(readHubAddress(globalThis.location?.search ?? "") ?? "");
/** Bumped when a model was brought here or removed. */
export const modelsChanged = signal(0);

/** The address that `?hub=` gives, or that was typed, without a slash at its end; null where it is none. */
export function readHubAddress(search: string): string | null {
  return cleanAddress(new URLSearchParams(search).get("hub") ?? "");
}

export function cleanAddress(text: string): string | null {
  if (text.trim() === "" || !URL.canParse(text.trim())) return null;
  const { protocol, href } = new URL(text.trim());
  return protocol === "https:" || protocol === "http:" ? href.replace(/\/+$/, "") : null;
}

/** All of it for a request; reads signals. */
export function modelAccess(): ModelAccess {
  const access: ModelAccess = {};
  if (hubAddress.value !== "") access.hubUrl = hubAddress.value;
  if (hubToken.value !== "") access.token = hubToken.value;
  if (Object.keys(dropped.value).length > 0) access.dropped = dropped.value;
  return access;
}
