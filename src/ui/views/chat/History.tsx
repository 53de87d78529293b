/** What was asked before in this session, and how both policies did. */
import { Icon } from "../../parts/Icon.tsx";
import { pressable } from "../../parts/pressable.ts";
import { BOTH, type Which } from "./api.ts";
import type { HistoryEntry } from "./column.ts";
import type { Conversation } from "./conversation.ts";

const NAMES: Record<Which, string> = { first: "Before", newest: "Now" };

export function History({ conversation }: { conversation: Conversation }) {
  const { history, busy, phase } = conversation;
  return (
    <section class="chat-history" aria-labelledby="chat-history">
      <h3 id="chat-history">Asked so far</h3>
      <ol>
        {history.value.map((entry) => (
          <li key={entry.id}>
            <div class="chat-history-question">
              <span class="mono">{entry.question.shown}</span>
              <span class="small soft num">
                temperature {entry.temperature.toFixed(2)}, seed {entry.seed}
              </span>
            </div>
            {BOTH.map((which) => (
              <Told key={which} which={which} answer={entry.answers[which]} />
            ))}
            <button
              type="button"
              class="button quiet small"
              {...pressable(!busy.value && phase.value === "ready", () => conversation.recall(entry))}
            >
              Put back<span class="visually-hidden"> {entry.question.shown}</span>
            </button>
          </li>
        ))}
      </ol>
    </section>
  );
}

function Told({ which, answer }: { which: Which; answer: HistoryEntry["answers"][Which] }) {
  const correct = answer?.verdict?.correct ?? null;
  return (
    <div class="chat-told">
      <span class="small chat-told-who">
        <span class="soft num">
          {NAMES[which]}
          {answer && `, version ${answer.version}`}
        </span>
        {correct !== null && (
          <span class={correct ? "chat-right" : "chat-wrong"}>
            <Icon name={correct ? "right" : "wrong"} size={13} /> {correct ? "Correct" : "Wrong"}
          </span>
        )}
      </span>
      <span class="mono chat-told-text">{answer ? answer.text : "—"}</span>
    </div>
  );
}
