/** One bar in bytes for all that comes from the hub, with what can be done about it. */
import { useEffect, useRef } from "preact/hooks";
import { Marked } from "../parts/Marked.tsx";
import { cancelDownload, type Download, pauseDownload, startDownload } from "./download.ts";
import { bytesOf } from "./progress_text.ts";
import "./models.css";

const WORDS = { running: "Downloading", paused: "Paused", failed: "Stopped" } as const;

const othersOf = ({ length }: readonly string[]) =>
  length > 1 ? ` and ${length - 1} ${length > 2 ? "others" : "other"}` : "";

export function DownloadBar({ download }: { download: Download }) {
  const { needed, phase, doneBytes, checking, trouble } = download;
  const { bytes, names } = needed;
  const pause = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    // The button that began it cannot be pressed any more.
    const { activeElement } = document;
    if (activeElement === document.body || activeElement?.matches(":disabled, dialog"))
      pause.current?.focus();
  }, []);
  return (
    <div class="download">
      <p class="download-head">
        <span class="download-what" title={names.join(", ")}>
          {checking ? "Checking" : WORDS[phase]} <b>{names[0]}</b>
          {othersOf(names)}
        </span>
        <span class="num soft">{bytesOf(doneBytes, bytes)}</span>
      </p>
      <div class="download-line">
        <progress max={bytes} value={doneBytes} aria-label={`Download of ${names.join(", ")}`} />
        <button
          ref={pause}
          type="button"
          class="button download-main"
          onClick={phase === "running" ? pauseDownload : () => startDownload(needed)}
        >
          {phase === "running" ? "Pause" : phase === "paused" ? "Resume" : "Try again"}
        </button>
        <button type="button" class="button quiet" onClick={cancelDownload}>
          Cancel
        </button>
      </div>
      {trouble && (
        <p class="download-trouble small" role="alert">
          <Marked text={trouble.message} />. {trouble.hint && <Marked text={`${trouble.hint}.`} />}
        </p>
      )}
    </div>
  );
}
