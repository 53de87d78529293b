/** Where one asks: the question, what the policy makes of it, temperature and seed. */
import { Icon } from "../../parts/Icon.tsx";
import { pressable } from "../../parts/pressable.ts";
import type { Conversation } from "./conversation.ts";
import { clampTemperature, MAX_TEMPERATURE, MIN_TEMPERATURE } from "./distribution.ts";
import { visibleText } from "./tokens.ts";
import { wordingLanguages } from "./wording.ts";

const LANGUAGE_NAMES = { en: "English", fr: "French", de: "German", es: "Spanish" } as const;
type LanguageName = keyof typeof LANGUAGE_NAMES;

export function PromptBar({ conversation }: { conversation: Conversation }) {
  const { typed, language, busy, phase, reading, repeats, tasks } = conversation;
  const languages = wordingLanguages(tasks.value);
  const refused = reading.value !== null && "reason" in reading.value;
  const ready = phase.value === "ready";
  const askable = ready && !busy.value && !refused && typed.value.trim() !== "";
  const submit = (event: Event) => {
    event.preventDefault();
    if (askable) conversation.ask();
  };
  return (
    <form class="card chat-prompt" onSubmit={submit} aria-label="Question">
      <div class="chat-ask">
        <label class="chat-field">
          <span class="small soft">Question</span>
          <input
            class="input mono"
            type="text"
            value={typed.value}
            autocomplete="off"
            spellcheck={false}
            disabled={!ready}
            placeholder={languages.length > 0 ? "3 + 8 - 2 =" : ""}
            aria-invalid={refused}
            aria-describedby="chat-reading"
            onInput={(event) => conversation.type(event.currentTarget.value)}
            onKeyDown={({ key }) => {
              // While an answer is written the form has no button that Enter could press.
              if (key === "Enter" && busy.value) conversation.ask();
            }}
          />
        </label>
        {languages.length > 1 && (
          <label class="chat-language">
            <span class="small soft">Worded in</span>
            <select
              class="input"
              value={language.value}
              disabled={!ready}
              onChange={(event) => {
                language.value = event.currentTarget.value as LanguageName;
                conversation.settle();
              }}
            >
              {languages.map((each) => (
                <option key={each} value={each}>
                  {LANGUAGE_NAMES[each]}
                </option>
              ))}
            </select>
          </label>
        )}
        <div class="chat-buttons">
          {tasks.value.length > 0 && (
            <button
              type="button"
              class="button"
              title="A problem of the task that training never sees"
              {...pressable(ready && !busy.value, () => conversation.drawProblem())}
            >
              Ask me one
            </button>
          )}
          {busy.value ? (
            <button type="button" class="button primary chat-main" onClick={() => conversation.stop()}>
              <Icon name="stop" size={12} /> Stop
            </button>
          ) : (
            <button type="submit" class="button primary chat-main" disabled={!askable}>
              {repeats.value ? "Ask again" : "Ask"}
            </button>
          )}
        </div>
      </div>
      <Reading conversation={conversation} />
      <div class="chat-settings">
        <Temperature conversation={conversation} />
        <label class="chat-seed">
          <span class="small soft">Seed</span>
          <input
            class="input num"
            type="number"
            min="0"
            max="2147483647"
            step="1"
            value={conversation.seed.value}
            onChange={(event) => {
              const given = Math.floor(event.currentTarget.valueAsNumber);
              if (Number.isFinite(given)) conversation.seed.value = Math.min(2 ** 31 - 1, Math.max(0, given));
              event.currentTarget.value = String(conversation.seed.value);
            }}
          />
        </label>
        <button
          type="button"
          class="button chat-one"
          title="Draws the next token of both answers, and no more"
          {...pressable(askable, () => conversation.stepBoth())}
        >
          <Icon name="step" size={12} /> One token
        </button>
      </div>
    </form>
  );
}

/** The prompt as the policy reads it, token by token, or why it cannot. */
function Reading({ conversation }: { conversation: Conversation }) {
  const { reading, question, phase } = conversation;
  const read = reading.value;
  const caution = question.value?.caution ?? null;
  const refusal = read !== null && "reason" in read ? read.reason : null;
  const note = refusal ?? caution;
  return (
    <div id="chat-reading" class="chat-reading">
      <p class="small chat-read">
        <span class="soft">{refusal === null ? "The policy reads" : "The policy cannot read this"}</span>{" "}
        {read !== null && "tokens" in read ? (
          <span class="mono">
            {read.tokens.map((text, at) => (
              <span key={at} class="chat-read-token">
                {visibleText({ text, end: false })}
              </span>
            ))}
          </span>
        ) : (
          refusal === null && (
            <span class="soft">{phase.value === "opening" ? "… loading the policies" : "…"}</span>
          )
        )}
      </p>
      <p class={`small chat-note${refusal ? " chat-refusal" : ""}`} aria-live="polite">
        {note !== null && (
          <>
            <Icon name={refusal ? "wrong" : "note"} size={13} /> {note}
            {refusal && "."}
          </>
        )}
      </p>
    </div>
  );
}

const bounds = { min: MIN_TEMPERATURE, max: MAX_TEMPERATURE, step: 0.05 };

/** The slider once more, for narrow screens where the bars are far from the first one. */
export function NearTemperature({ conversation: { temperature } }: { conversation: Conversation }) {
  return (
    <label class="small chat-near">
      <span class="soft">Temperature</span>
      <input
        type="range"
        {...bounds}
        value={temperature.value}
        onInput={(event) => {
          temperature.value = clampTemperature(Number(event.currentTarget.value));
        }}
      />
      <span class="num">{temperature.value.toFixed(2)}</span>
    </label>
  );
}

function Temperature({ conversation: { temperature } }: { conversation: Conversation }) {
  const turn = (event: { currentTarget: HTMLInputElement }) => {
    const given = event.currentTarget.valueAsNumber;
    // A field left empty keeps what it was.
    if (Number.isFinite(given)) temperature.value = clampTemperature(given);
  };
  return (
    <div class="chat-temperature">
      <label class="small soft" for="chat-temperature">
        Temperature
      </label>
      <input id="chat-temperature" type="range" {...bounds} value={temperature.value} onInput={turn} />
      <input
        class="input num"
        type="number"
        aria-label="Temperature as a number"
        {...bounds}
        value={temperature.value.toFixed(2)}
        onChange={(event) => {
          turn(event);
          event.currentTarget.value = temperature.value.toFixed(2);
        }}
      />
      <p class="small soft chat-hint">
        Low: the likeliest token nearly always. High: more chance for the others. The bars follow at once.
      </p>
    </div>
  );
}
