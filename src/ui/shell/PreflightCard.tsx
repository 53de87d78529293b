/** What a run needs and what this browser gives, before anything is loaded or started. */
import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { readModelName } from "../../config/model_name.ts";
import { DownloadBar } from "../models/DownloadBar.tsx";
import { download, shownDownload, startDownload } from "../models/download.ts";
import { HubAccess } from "../models/HubAccess.tsx";
import { ModelField } from "../models/ModelField.tsx";
import { Dialog } from "../parts/Dialog.tsx";
import { byteText } from "../parts/format.ts";
import { Icon, type IconName } from "../parts/Icon.tsx";
import { Marked } from "../parts/Marked.tsx";
import type { Preflight, PreflightLine } from "../session/api.ts";
import { draftRecipe } from "../state/app.ts";
import { hubAddress, hubToken, modelsChanged } from "../state/model_access.ts";
import { draftProblem } from "../views/settings/draft.ts";
import { overlay, train } from "./actions.ts";
import { openView } from "./navigation.ts";
import { offersSmoke, recipeTitle, withSettings } from "./preflight_card.ts";
import { session, type Trouble, troubleOf } from "./session.ts";
import "./preflight.css";

const ICONS: Record<PreflightLine["level"], IconName> = { ok: "right", note: "note", stop: "wrong" };
const WORDS: Record<PreflightLine["level"], string> = {
  ok: "in order",
  note: "note",
  stop: "keeps it from starting",
};

const close = () => {
  overlay.value = null;
};

/** The answer for the draft and the models at hand as they are now; null while it is awaited. */
function usePreflight(recipe: Record<string, unknown>): Preflight | Trouble | null {
  const [answer, setAnswer] = useState<Preflight | Trouble | null>(null);
  const changed = modelsChanged.value;
  const [token, address] = [hubToken.value, hubAddress.value];
  useEffect(() => {
    let wanted = true;
    setAnswer(null);
    session()
      .then((client) => client.preflight(recipe))
      .catch(troubleOf)
      .then((found) => wanted && setAnswer(found));
    return () => {
      wanted = false;
    };
  }, [recipe, changed, token, address]);
  return answer;
}

export function PreflightCard() {
  const recipe = draftRecipe.value;
  const problem = draftProblem.value;
  const answer = usePreflight(recipe);
  const lines = answer && "lines" in answer ? answer.lines : null;
  const refused = lines !== null && answer !== null && "canStart" in answer && !answer.canStart;
  const needed = answer && "lines" in answer ? answer.download : undefined;
  const bar = shownDownload(download.value, needed);
  const fit = answer && "lines" in answer ? answer.fit : undefined;
  const canStart = lines !== null && !refused && problem === null && !needed;
  const model = typeof recipe.model === "string" ? recipe.model : undefined;
  const inForce = model ?? (answer && "lines" in answer ? answer.model : undefined);
  const isOnHub = inForce !== undefined && readModelName(inForce).kind === "hub";
  // Also of a model below adapters that are here, or of problems.
  const isGated = lines?.some(({ value }) => value.includes("access is restricted")) ?? false;
  const told = useRef<HTMLDivElement>(null);
  const take = (changed: Record<string, unknown>) => {
    draftRecipe.value = changed;
    // The button that was pressed goes; what it led to is told here.
    told.current?.focus();
  };
  return (
    <Dialog title={refused ? "This cannot run here yet" : "Before it starts"} onClose={close}>
      <p class="soft">
        Recipe <b class="preflight-recipe">{recipeTitle(recipe)}</b>. Everything stays on this computer
        {isOnHub || needed
          ? `; ${needed?.data && !isOnHub ? "its problems come" : "the model comes"} from the hub`
          : ""}
        .
      </p>
      <ModelField model={model} inherited={inForce ?? ""} />
      <div ref={told} tabIndex={-1} class="preflight-lines" aria-live="polite" aria-busy={answer === null}>
        {answer === null && <p class="soft preflight-asking">Asking the GPU …</p>}
        {answer !== null && "message" in answer && (
          <Told level="stop" label="Check" value={answer.message} hint={answer.hint} />
        )}
        {problem !== null && <Told level="stop" label="Settings" value={problem} />}
        {lines?.map((line) => (
          <Told {...line} key={line.key}>
            {line.key === "memory" && fit && (
              <button
                type="button"
                class="button preflight-fit"
                onClick={() => take(withSettings(recipe, fit))}
              >
                Use these settings
              </button>
            )}
          </Told>
        ))}
      </div>
      {(isOnHub || isGated) && <HubAccess wanted={isGated} />}
      <div class="dialog-actions preflight-actions">
        {bar && <DownloadBar download={bar} />}
        {needed && !refused && problem === null && (
          <button
            type="button"
            class="button primary"
            disabled={bar !== null}
            onClick={() => startDownload(needed)}
          >
            Download {byteText(needed.bytes)}
          </button>
        )}
        <button
          type="button"
          class={`button ${needed && !refused ? "" : "primary"}`}
          disabled={!canStart}
          onClick={train}
        >
          Start
        </button>
        {offersSmoke(recipe, lines, problem) && (
          <button type="button" class="button" onClick={() => take({ extends: "smoke" })}>
            Take the small recipe
          </button>
        )}
        <button type="button" class="button" onClick={close}>
          Not now
        </button>
        <button
          type="button"
          class="button quiet"
          onClick={() => {
            close();
            openView("settings");
          }}
        >
          Settings
        </button>
      </div>
    </Dialog>
  );
}

function Parts({ head, rows, foot }: NonNullable<PreflightLine["table"]>) {
  return (
    <details class="preflight-parts">
      <summary>By parts</summary>
      <table class="num">
        <thead>
          <tr>
            {head.map((cell) => (
              <th key={cell} scope="col">
                {cell}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map(([what, ...cells]) => (
            <tr key={what}>
              <th scope="row">{what}</th>
              {cells.map((cell, at) => (
                <td key={at}>{cell}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      <p>{foot}</p>
    </details>
  );
}

type ToldProps = Omit<PreflightLine, "key"> & { key?: string; children?: ComponentChildren };

function Told({ level, label, value, hint, table, children }: ToldProps) {
  return (
    <div class={`preflight-line is-${level}`}>
      <span class="preflight-sign">
        <Icon name={ICONS[level]} size={16} />
        <span class="visually-hidden">{WORDS[level]}: </span>
      </span>
      <span class="preflight-label">{label}</span>
      <span class="preflight-value">
        <Marked text={value} />
        {hint && (
          <span class="preflight-hint">
            <Marked text={hint} />
          </span>
        )}
        {children}
        {table && <Parts {...table} />}
      </span>
    </div>
  );
}
