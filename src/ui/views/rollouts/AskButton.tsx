/** Hands a prompt to the chat, which answers it with version 0 and the newest weights. */
import { openView } from "../../shell/navigation.ts";
import { hidden } from "../../state/app.ts";
import { askPrompt } from "./ask.ts";

interface AskButtonProps {
  prompt: string;
  /** Id of the text that says which prompt, where there are several. */
  describedBy?: string;
}

/** Nothing where a teacher has hidden the chat. */
export function AskButton({ prompt, describedBy }: AskButtonProps) {
  if (hidden.value.has("chat")) return null;
  return (
    <button
      type="button"
      class="button small"
      aria-describedby={describedBy}
      onClick={() => {
        askPrompt.value = prompt;
        openView("chat");
      }}
    >
      Ask version 0 and now
    </button>
  );
}
