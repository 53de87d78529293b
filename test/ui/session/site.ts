/** Stands in for `fetch` on a page's origin: files by path, and a development server's page for everything else. */
import { vi } from "vitest";

export const BASE = "https://page.example/webgrpo/";

export function serveSite(files: Record<string, unknown>): string[] {
  const asked: string[] = [];
  vi.stubGlobal("fetch", async (input: string | URL) => {
    const address = String(input);
    asked.push(address);
    const path = address.startsWith(BASE) ? address.slice(BASE.length) : address;
    if (!(path in files))
      return new Response("<!doctype html>", { headers: { "content-type": "text/html" } });
    const body = files[path];
    return typeof body === "string" ? new Response(body) : Response.json(body);
  });
  return asked;
}
