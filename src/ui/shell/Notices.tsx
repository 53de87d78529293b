/** What has to be said at once: failures, refusals, a run that was cut off, a tab that was slowed. */
import type { ComponentChildren } from "preact";
import { DownloadBar } from "../models/DownloadBar.tsx";
import { download } from "../models/download.ts";
import { taken } from "../models/take.ts";
import { sentence } from "../parts/format.ts";
import { Icon } from "../parts/Icon.tsx";
import { Marked } from "../parts/Marked.tsx";
import { feed, hidden, live, view } from "../state/app.ts";
import { urlNotice } from "../state/url.ts";
import { askToTrain, overlay, trainingRun } from "./actions.ts";
import { slowedNotice } from "./leaving.ts";
import { cutRun, resumeCut } from "./resume.ts";
import { ask, sessionModule, trouble } from "./session.ts";
import "./notices.css";

interface NoticeProps {
  level: "note" | "warn" | "stop";
  children: ComponentChildren;
  actions?: ComponentChildren;
  onClose?(): void;
}

function Notice({ level, children, actions, onClose }: NoticeProps) {
  return (
    <div class={`notice is-${level}`} role={level === "stop" ? "alert" : "status"}>
      <Icon name="note" size={18} />
      <div class="notice-text">{children}</div>
      {actions && <div class="row">{actions}</div>}
      {onClose && (
        <button
          type="button"
          class="button quiet notice-close"
          aria-label="Close this notice"
          onClick={onClose}
        >
          <Icon name="close" size={16} />
        </button>
      )}
    </div>
  );
}

export function Notices() {
  return (
    <div class="notices">
      <FailureNotice />
      {trouble.value && overlay.value !== "runs" && (
        <Notice level="stop" onClose={() => (trouble.value = null)}>
          <b>
            <Marked text={sentence(trouble.value.message)} />
          </b>{" "}
          <Marked text={sentence(trouble.value.hint)} />
        </Notice>
      )}
      {urlNotice.value && (
        <Notice level="warn" onClose={() => (urlNotice.value = null)}>
          <Marked text={urlNotice.value} />
        </Notice>
      )}
      {slowedNotice.value && (
        <Notice level="warn" onClose={() => (slowedNotice.value = null)}>
          {slowedNotice.value}
        </Notice>
      )}
      <CutNotice />
      {download.value && overlay.value !== "preflight" && view.value !== "settings" && (
        <div class="card">
          <DownloadBar download={download.value} />
        </div>
      )}
      {taken.value && (
        <Notice level="note" onClose={() => (taken.value = null)}>
          {taken.value}
        </Notice>
      )}
    </div>
  );
}

function FailureNotice() {
  const run = live.value;
  const failure = run?.failure.value;
  if (!run || !failure) return null;
  const canGoOn = (sessionModule.value?.savedStep.value ?? null) !== null;
  return (
    <Notice
      level="stop"
      onClose={() => (run.failure.value = null)}
      actions={
        <>
          {canGoOn && (
            <button
              type="button"
              class="button primary"
              onClick={() => {
                run.failure.value = null;
                ask((client) => client.resumeRun(run.name));
              }}
            >
              Go on
            </button>
          )}
          <button type="button" class="button" onClick={askToTrain}>
            Train anew
          </button>
        </>
      }
    >
      <b>The training stopped.</b> <Marked text={sentence(failure.message)} />{" "}
      <Marked text={sentence(failure.hint)} /> <code class="soft">{failure.code}</code>
    </Notice>
  );
}

function CutNotice() {
  const run = cutRun.value;
  if (!run || trainingRun() || hidden.value.has("runs") || feed.value.kind === "live") return null;
  return (
    <Notice
      level="note"
      onClose={() => (cutRun.value = null)}
      actions={
        <button type="button" class="button" onClick={resumeCut}>
          Go on
        </button>
      }
    >
      The run <b>{run.name}</b> was cut off after step {run.steps} of {run.of}. It is saved up to step{" "}
      {run.checkpoint}.
    </Notice>
  );
}
