// @vitest-environment happy-dom
import { h, render } from "preact";
import { afterEach, beforeEach, expect, it } from "vitest";
import { Conversation } from "../../../../src/ui/views/chat/conversation.ts";
import { MAX_TEMPERATURE, MIN_TEMPERATURE } from "../../../../src/ui/views/chat/distribution.ts";
import { PromptBar } from "../../../../src/ui/views/chat/PromptBar.tsx";

const host = document.body.appendChild(document.createElement("div"));
let conversation: Conversation;

beforeEach(() => {
  conversation = new Conversation(() => Promise.reject(new Error("nobody is asked here")));
  conversation.temperature.value = 0.7;
  conversation.seed.value = 5;
  render(h(PromptBar, { conversation }), host);
});
afterEach(() => render(null, host));

/** Leaves a number field with this text in it, and gives what it shows then. */
function leave(selector: string, text: string): string {
  const field = host.querySelector<HTMLInputElement>(selector)!;
  field.value = text;
  field.dispatchEvent(new Event("change", { bubbles: true }));
  return field.value;
}

it.each([
  ["", "5"],
  ["12.8", "12"],
  ["-3", "0"],
  ["9e12", "2147483647"],
])("a seed typed as %j is shown and used as %j", (typed, shown) => {
  expect(leave(".chat-seed input", typed)).toBe(shown);
  expect(conversation.seed.value).toBe(Number(shown));
});

it.each([
  ["", 0.7],
  ["1.234", 1.23],
  ["0", MIN_TEMPERATURE],
  ["99", MAX_TEMPERATURE],
])("a temperature typed as %j is shown and used as %d", (typed, used) => {
  expect(leave('[aria-label="Temperature as a number"]', typed)).toBe(used.toFixed(2));
  expect(conversation.temperature.value).toBe(used);
});
