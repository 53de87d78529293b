/** One bar in bytes for all files of a model, with what can be done about it. */
import { Marked } from "../parts/Marked.tsx";
import { cancelDownload, type Download, pauseDownload, startDownload } from "./download.ts";
import "./models.css";

/** In steps of a tenth of a unit: the same width while they grow. */
function megabytes(bytes: number): string {
  return bytes >= 1e9 ? `${(bytes / 1e9).toFixed(2)} GB` : `${(bytes / 1e6).toFixed(1)} MB`;
}

const WORDS = { running: "Downloading", paused: "Paused", failed: "Stopped" } as const;

export function DownloadBar({ download }: { download: Download }) {
  const { needed, phase, doneBytes, checking, trouble } = download;
  const { bytes: totalBytes, names } = needed;
  return (
    <div class="download">
      <p class="download-head">
        <span>
          {checking ? "Checking" : WORDS[phase]} <b>{names.join(", ")}</b>
        </span>
        <span class="num soft">
          {megabytes(doneBytes)} of {megabytes(totalBytes)}
        </span>
      </p>
      <progress max={totalBytes} value={doneBytes} aria-label={`Download of ${names.join(", ")}`} />
      {trouble && (
        <p class="download-trouble" role="alert">
          <Marked text={trouble.message} />. {trouble.hint && <Marked text={`${trouble.hint}.`} />}
        </p>
      )}
      <div class="row">
        {phase === "running" ? (
          <button type="button" class="button" onClick={pauseDownload}>
            Pause
          </button>
        ) : (
          <button type="button" class="button" onClick={() => startDownload(needed)}>
            {phase === "paused" ? "Resume" : "Try again"}
          </button>
        )}
        <button type="button" class="button quiet" onClick={cancelDownload}>
          Cancel
        </button>
      </div>
    </div>
  );
}
