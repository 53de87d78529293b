/** One policy's side: who speaks, its answer token by token, whether it is right, and what could come at a place of it. */
import type { ComponentChildren } from "preact";
import { Icon } from "../../parts/Icon.tsx";
import type { ChatToken, ChatVerdict, PolicyNote, Which } from "./api.ts";
import type { Column } from "./column.ts";
import type { Conversation } from "./conversation.ts";
import { NextBars } from "./NextBars.tsx";
import { spokenText, visibleText, writePercent } from "./tokens.ts";

const NAMES: Record<Which, string> = { first: "Before", newest: "Now" };

interface Props {
  conversation: Conversation;
  which: Which;
  /** What answers here, in words. */
  whence(policy: PolicyNote): string;
  /** Shown where this policy does not exist. */
  absence?: ComponentChildren;
}

export function AnswerColumn({ conversation, which, whence, absence }: Props) {
  const { subject, columns, newer } = conversation;
  const column = columns[which].value;
  const policy = subject.value?.[which] ?? null;
  const version = column.phase === "empty" ? policy?.version : column.version;
  const missing = subject.value !== null && policy === null;
  return (
    <section class={`card chat-column chat-${which}`} aria-labelledby={`chat-${which}`}>
      <div class="chat-who">
        <h3 id={`chat-${which}`}>{NAMES[which]}</h3>
        <span class="chip num">{missing ? "not here" : `version ${version ?? "…"}`}</span>
        {which === "newest" && newer.value !== null && (
          <span class="small soft num">step {newer.value} is saved: the next question asks it</span>
        )}
        <Verdict column={column} />
      </div>
      <p class="small soft num chat-whence">{policy && whence(policy)}</p>
      {missing ? (
        <div class="chat-absence">{absence}</div>
      ) : (
        <>
          <Answer conversation={conversation} which={which} column={column} />
          <p class="small soft num chat-end">{endOf(column)}</p>
          <NextBars conversation={conversation} which={which} />
        </>
      )}
    </section>
  );
}

function Verdict({ column: { verdict, phase } }: { column: Column }) {
  const known = verdict !== null && verdict.correct !== null && phase === "done";
  return (
    <p class="chat-verdict" aria-live="polite">
      {known && (
        <span class={verdict.correct ? "chat-right" : "chat-wrong"} title={verdict.reason}>
          <Icon name={verdict.correct ? "right" : "wrong"} size={16} />{" "}
          {verdict.correct ? "Correct" : "Wrong"}
          {verdict.reward !== null && <span class="soft num small"> reward {verdict.reward.toFixed(2)}</span>}
        </span>
      )}
    </p>
  );
}

function endOf({ phase, finish, tokens, verdict }: Column): string {
  if (phase === "empty") return "";
  const count = `${tokens.length} ${tokens.length === 1 ? "token" : "tokens"}`;
  if (phase !== "done") return count;
  const ends = {
    stop: "ended by itself",
    length: "cut off at the longest allowed",
    stopped: "stopped by you",
  };
  return `${count} · ${finish === null ? "" : ends[finish]}${verdict === null ? "" : ` · ${judgement(verdict)}`}`;
}

/** `says 2, right is 3`; without an answer that could be compared, why it was judged so. */
function judgement({ found, expected, correct, reason }: ChatVerdict): string {
  if (found === null || expected === null || correct === null) return reason;
  return correct ? `says ${found}` : `says ${found}, right is ${expected}`;
}

interface AnswerProps {
  conversation: Conversation;
  which: Which;
  column: Column;
}

/** The tokens as buttons in a row: one stop of the tab key, arrows move inside. */
function Answer({ conversation, which, column }: AnswerProps) {
  const { tokens, cut, phase } = column;
  const open = (phase === "open" || phase === "empty") && conversation.phase.value === "ready";
  const places = tokens.length + (open ? 1 : 0);
  const onKey = (event: KeyboardEvent & { currentTarget: HTMLElement }) => {
    const moves: Record<string, number> = {
      ArrowRight: cut + 1,
      ArrowLeft: cut - 1,
      Home: 0,
      End: places - 1,
    };
    const to = moves[event.key];
    if (to === undefined || to < 0 || to >= places) return;
    event.preventDefault();
    conversation.look(which, to);
    event.currentTarget.querySelectorAll("button")[to]?.focus();
  };
  return (
    <div
      class="chat-answer mono"
      role="toolbar"
      aria-label={`Answer ${NAMES[which].toLowerCase()}, token by token`}
      onKeyDown={onKey}
    >
      {tokens.map((token, at) => (
        <Token
          key={at}
          token={token}
          place={at + 1}
          chosen={at === cut}
          onClick={() => conversation.look(which, at)}
        />
      ))}
      {open && (
        <button
          type="button"
          class="chat-token chat-caret"
          aria-pressed={cut === tokens.length}
          tabIndex={cut === tokens.length ? 0 : -1}
          aria-label="The next token"
          title="What could come next"
          onClick={() => conversation.look(which, tokens.length)}
        >
          …
        </button>
      )}
      {phase === "writing" && <span class="chat-writing" aria-hidden="true" />}
    </div>
  );
}

interface TokenProps {
  token: ChatToken;
  place: number;
  chosen: boolean;
  onClick(): void;
}

function Token({ token, place, chosen, onClick }: TokenProps) {
  const probability = Math.exp(token.logprob);
  const percent = writePercent(probability);
  return (
    <button
      type="button"
      class={`chat-token${token.end ? " chat-token-end" : ""}`}
      style={{ "--p": probability.toFixed(4) }}
      aria-pressed={chosen}
      tabIndex={chosen ? 0 : -1}
      aria-label={`${spokenText(token)}, token ${place}, drawn with ${percent}`}
      title={`Token ${place}, drawn with probability ${percent}`}
      onClick={onClick}
    >
      {visibleText(token)}
    </button>
  );
}
