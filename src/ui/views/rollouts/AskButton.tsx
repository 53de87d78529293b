/** Hands a prompt to the chat, which answers it with version 0 and the newest weights. */
import { view } from "../../state/app.ts";
import { askPrompt } from "./ask.ts";

export function AskButton({ prompt }: { prompt: string }) {
  return (
    <button
      type="button"
      class="button small"
      onClick={() => {
        askPrompt.value = prompt;
        view.value = "chat";
      }}
    >
      Ask version 0 and now
    </button>
  );
}
