/** The chat: one question put to the policy as it was before training and as it is now, and a look at every token. */
import { useEffect } from "preact/hooks";
import { Icon } from "../../parts/Icon.tsx";
import { askToTrain } from "../../shell/actions.ts";
import { feed, live } from "../../state/app.ts";
import { dropped } from "../../state/model_access.ts";
import { askPrompt } from "../rollouts/ask.ts";
import { AnswerColumn } from "./AnswerColumn.tsx";
import "./chat.css";
import { Conversation } from "./conversation.ts";
import { History } from "./History.tsx";
import { openChatLink } from "./link.ts";
import { PromptBar } from "./PromptBar.tsx";
import { absenceOf, sourceOf, whenceOf } from "./source.ts";

const POLL_MS = 3000;
/** A short look at another view does not cost the loaded policies. */
const LINGER_MS = 60_000;

/** Outlives the view, so that the history is there when one comes back. */
const conversation = new Conversation(openChatLink);
let leaving: ReturnType<typeof setTimeout> | null = null;

function stay(): () => void {
  if (leaving !== null) clearTimeout(leaving);
  return () => {
    leaving = setTimeout(() => conversation.close(), LINGER_MS);
  };
}

/** The first thing in the field: a question somebody brought along, else one out of the task. */
async function begin(run: typeof feed.value): Promise<void> {
  await conversation.about(sourceOf(run, document.baseURI, dropped.value));
  const brought = askPrompt.value;
  if (brought !== null) {
    askPrompt.value = null;
    await conversation.put(brought);
  } else if (conversation.typed.value === "") await conversation.drawProblem();
}

function showLive(): void {
  if (live.value !== null) feed.value = live.value;
}

export function Chat() {
  const run = feed.value;
  const brought = askPrompt.value;
  const gpu = "gpu" in navigator;
  useEffect(stay, []);
  useEffect(() => {
    // The feed is empty until the page knows its first run.
    if (gpu && run.name !== "") begin(run);
  }, [run, brought, gpu]);
  useEffect(() => {
    if (run.kind !== "live") return;
    const timer = setInterval(() => conversation.lookForNewer(), POLL_MS);
    return () => clearInterval(timer);
  }, [run]);
  return (
    <section class="chat" aria-labelledby="chat-title">
      <div class="chat-head">
        <h2 id="chat-title">Talk to the policy</h2>
        <p class="soft">The same question and the same random numbers, before training and now.</p>
      </div>
      {gpu ? <Talk /> : <NoGpu />}
    </section>
  );
}

function Talk() {
  const { failure, history, phase } = conversation;
  const absence = absenceOf(feed.value, live.value);
  return (
    <>
      {failure.value && (
        <div class="card chat-failure" role="alert">
          <Icon name="wrong" />
          <div>
            <p>{failure.value.message}.</p>
            {failure.value.hint && <p class="soft small">{failure.value.hint}</p>}
          </div>
          <button type="button" class="button" onClick={() => conversation.open()}>
            Try again
          </button>
        </div>
      )}
      <PromptBar conversation={conversation} />
      <div class="chat-columns" aria-busy={phase.value === "opening"}>
        <AnswerColumn
          conversation={conversation}
          which="first"
          whence={(policy) => whenceOf("first", feed.value, policy)}
        />
        <AnswerColumn
          conversation={conversation}
          which="newest"
          whence={(policy) => whenceOf("newest", feed.value, policy)}
          absence={
            absence && (
              <>
                <p class="soft">{absence.text}</p>
                {absence.offer === "train" && (
                  <button type="button" class="button" onClick={() => askToTrain()}>
                    Train this here
                  </button>
                )}
                {absence.offer === "show" && (
                  <button type="button" class="button" onClick={showLive}>
                    Show the run that trains
                  </button>
                )}
              </>
            )
          }
        />
      </div>
      <p class="small soft">
        The line under a token is the probability it was drawn with: the shorter and yellower, the greater the
        surprise. Choose a token to see what else could have come there.
      </p>
      {history.value.length > 0 && <History conversation={conversation} />}
    </>
  );
}

function NoGpu() {
  return (
    <div class="card chat-failure" role="note">
      <Icon name="note" />
      <div>
        <p>Talking to the policy needs WebGPU, and this browser does not offer it.</p>
        <p class="soft small">
          Open the page in Chrome or Edge 113 or newer (on Linux 144 or newer), over https or from localhost.
          What was recorded of a run can be looked at without it.
        </p>
      </div>
    </div>
  );
}
