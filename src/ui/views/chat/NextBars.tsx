/** What could come at the place looked at: the likeliest tokens as bars that follow the temperature. */
import { Icon } from "../../parts/Icon.tsx";
import { pressable } from "../../parts/pressable.ts";
import type { NextToken, Which } from "./api.ts";
import type { Conversation } from "./conversation.ts";
import { barsOf, shownTokens } from "./distribution.ts";
import { NearTemperature } from "./PromptBar.tsx";
import { spokenText, visibleText, writePercent } from "./tokens.ts";

const SHOWN = 8;

export function NextBars({ conversation, which }: { conversation: Conversation; which: Which }) {
  const { columns, temperature, busy, phase } = conversation;
  const { next, tokens, cut } = columns[which].value;
  const chosen = tokens[cut] ?? null;
  const rows = next === null ? [] : shownTokens<NextToken>(next.top, chosen, SHOWN);
  const { bars, rest, others } =
    next === null ? { bars: [], rest: 0, others: 0 } : barsOf(next.logits, rows, temperature.value);
  const last = tokens[cut - 1];
  return (
    <div class="chat-next">
      <div class="chat-next-head">
        <h4 id={`chat-next-${which}`} class="small">
          {cut === 0 ? "First token" : `Token ${cut + 1}`}
          <span class="soft"> {last ? "after " : "after the question"}</span>
          {last && <span class="mono chat-after">{visibleText(last)}</span>}
        </h4>
        <button
          type="button"
          class="button quiet small chat-redraw"
          {...pressable(!busy.value && phase.value === "ready" && next !== null, () =>
            conversation.redraw(which),
          )}
        >
          <Icon name={chosen ? "again" : "step"} size={12} /> {chosen ? "Draw another here" : "Draw it"}
        </button>
      </div>
      <NearTemperature conversation={conversation} />
      <ol class="chat-bars" aria-labelledby={`chat-next-${which}`}>
        {Array.from({ length: SHOWN }, (_, at) => bars[at]).map((bar, at) => (
          <li key={at} class={`chat-bar${bar && bar.token.id === chosen?.id ? " chat-bar-chosen" : ""}`}>
            {bar && (
              <>
                <span class="mono chat-bar-name" title={spokenText(bar.token)}>
                  <span aria-hidden="true">{visibleText(bar.token)}</span>
                  <span class="visually-hidden">{spokenText(bar.token)}</span>
                </span>
                <span class="chat-bar-track" aria-hidden="true">
                  <span class="chat-bar-fill" style={{ "--p": bar.probability.toFixed(5) }} />
                </span>
                <span class="num chat-bar-percent">{writePercent(bar.probability)}</span>
                <span class="small chat-bar-drawn">{bar.token.id === chosen?.id && "drawn"}</span>
              </>
            )}
          </li>
        ))}
        <li class="chat-bar soft">
          {next && (
            <>
              <span class="small chat-bar-name" title={`${others} other tokens together`}>
                others
              </span>
              <span class="chat-bar-track" aria-hidden="true">
                <span class="chat-bar-fill" style={{ "--p": rest.toFixed(5) }} />
              </span>
              <span class="num chat-bar-percent">{writePercent(rest)}</span>
            </>
          )}
        </li>
      </ol>
    </div>
  );
}
