/** The stored runs: open, compare, go on, download, remove, upload. */
import { signal } from "@preact/signals";
import { useEffect, useRef, useState } from "preact/hooks";
import { takeZip } from "../models/take.ts";
import { Dialog } from "../parts/Dialog.tsx";
import { byteText, sentence } from "../parts/format.ts";
import { Marked } from "../parts/Marked.tsx";
import type { StoredRun } from "../session/api.ts";
import type { SessionClient } from "../session/client.ts";
import { compared, feed } from "../state/app.ts";
import { overlay, trainingRun } from "./actions.ts";
import { demo, showDemo } from "./demo.ts";
import { byTime, canGoOn, endOf, type RunMarks, runLine, whenSaved } from "./run_list.ts";
import { ask, session, trouble, troubleOf } from "./session.ts";
import "./runs.css";

const runs = signal<readonly StoredRun[] | null>(null);
const used = signal<number | null>(null);

const close = () => {
  overlay.value = null;
};

/** Lists again. What was told of the deed before stays to be read. */
async function refresh(): Promise<void> {
  try {
    runs.value = byTime(await (await session()).listRuns());
  } catch (error) {
    runs.value ??= [];
    trouble.value ??= troubleOf(error);
  }
  used.value = (await navigator.storage?.estimate?.())?.usage ?? null;
}

/** Asks and lists again; closes the drawer where the run is then to be looked at. */
async function change(what: Parameters<typeof ask>[0], then?: "close"): Promise<void> {
  await ask(what);
  if (then === "close" && trouble.value === null) close();
  else await refresh();
}

/** What is gone is not left in view, where it would look as if it were kept. */
async function remove(client: SessionClient, name: string): Promise<void> {
  await client.removeRun(name);
  if (feed.value.name === name && feed.value.kind !== "recorded") showDemo();
}

export function RunsDrawer() {
  const file = useRef<HTMLInputElement>(null);
  const list = useRef<HTMLUListElement>(null);
  useEffect(() => {
    trouble.value = null;
    refresh();
  }, []);
  useEffect(() => {
    // A run that was removed took the button along that was pressed.
    if (document.activeElement === document.body) list.current?.focus();
  }, [runs.value]);
  const training = trainingRun();
  return (
    <Dialog title="Runs" shape="drawer" onClose={close}>
      {trouble.value && (
        <div class="runs-trouble" role="alert">
          <Marked text={sentence(trouble.value.message)} />{" "}
          <span class="soft small">
            <Marked text={sentence(trouble.value.hint)} />
          </span>
        </div>
      )}
      <ul ref={list} class="runs-list" tabIndex={-1} aria-label="Kept runs">
        {demo.value && (
          <li class="runs-item">
            <div class="runs-head">
              <h3>Recording</h3>
              <span class="soft small">{feed.value === demo.value.feed ? "in view" : ""}</span>
            </div>
            <p class="soft small num">{demo.value.length} steps, comes with the page</p>
            <div class="runs-actions">
              <button
                type="button"
                class="button"
                onClick={() => {
                  showDemo();
                  close();
                }}
              >
                Open
              </button>
            </div>
          </li>
        )}
        {runs.value?.map((run) => (
          <StoredItem
            key={run.name}
            run={run}
            marks={{
              training: training?.name === run.name,
              inView: feed.value.name === run.name && feed.value.kind !== "recorded",
              compared: compared.value.some(({ name }) => name === run.name),
            }}
          />
        ))}
      </ul>
      {runs.value === null && <p class="soft">Looking …</p>}
      {runs.value?.length === 0 && (
        <p class="soft">Runs that you train are kept in this browser and listed here, also after a reload.</p>
      )}
      <div class="runs-foot">
        <button type="button" class="button" onClick={() => file.current?.click()}>
          Upload a zip
        </button>
        <input
          ref={file}
          type="file"
          accept=".zip,application/zip"
          class="visually-hidden"
          tabIndex={-1}
          aria-label="Zip of a run or a checkpoint"
          onChange={async ({ currentTarget }) => {
            const [chosen] = currentTarget.files ?? [];
            currentTarget.value = "";
            if (chosen) await takeZip(chosen).then(refresh);
          }}
        />
        <span class="soft small">
          A run or a checkpoint. It can also be dropped anywhere on the page.
          {used.value !== null && ` ${byteText(used.value)} are used.`}
        </span>
      </div>
    </Dialog>
  );
}

function StoredItem({ run, marks }: { run: StoredRun; marks: RunMarks }) {
  const { name } = run;
  const { training, inView, compared: beside } = marks;
  const broken = run.problem !== undefined;
  const [more, setMore] = useState(false);
  return (
    <li class="runs-item">
      <div class="runs-head">
        <h3>{name}</h3>
        <span class={`small runs-end is-${endOf(run, marks).split(" ")[0]}`}>{endOf(run, marks)}</span>
      </div>
      <p class="soft small num">
        {run.recipe} · {runLine(run)} · {whenSaved(run.savedAt, Date.now())}
      </p>
      {broken && <p class="small">{run.problem}</p>}
      <div class="runs-actions">
        <button
          type="button"
          class="button"
          disabled={broken || inView}
          onClick={() => change((client) => client.openStored(name), "close")}
        >
          {inView ? "In view" : "Open"}
        </button>
        <button
          type="button"
          class="button"
          aria-pressed={beside}
          disabled={broken || inView}
          onClick={() =>
            change((client) => (beside ? client.removeCompared(name) : client.addCompared(name)))
          }
        >
          Compare
        </button>
        {canGoOn(run) && (
          <button
            type="button"
            class="button"
            disabled={trainingRun() !== null}
            title={trainingRun() ? "Another run is training in this tab" : undefined}
            onClick={() => change((client) => client.resumeRun(name), "close")}
          >
            Go on
          </button>
        )}
        <button
          type="button"
          class="button quiet"
          aria-expanded={more}
          aria-label={`${more ? "Less" : "More"} for ${name}`}
          onClick={() => setMore(!more)}
        >
          {more ? "Less" : "More"}
        </button>
      </div>
      {more && <More run={run} training={training} />}
    </li>
  );
}

function More({ run, training }: { run: StoredRun; training: boolean }) {
  const { name, checkpoint, problem } = run;
  const [sure, setSure] = useState(false);
  return (
    <div class="runs-menu">
      <button
        type="button"
        class="button quiet"
        disabled={problem !== undefined}
        onClick={() => change((client) => client.downloadRun(name))}
      >
        Download the run
      </button>
      <button
        type="button"
        class="button quiet"
        disabled={checkpoint === null}
        onClick={() => change((client) => client.downloadCheckpoint(name))}
      >
        Download the checkpoint
      </button>
      <button
        type="button"
        class={`button quiet ${sure ? "runs-sure" : ""}`}
        disabled={training || run.training}
        onClick={() => (sure ? change((client) => remove(client, name)) : setSure(true))}
        onBlur={() => setSure(false)}
      >
        {sure ? "Remove for good" : "Remove …"}
      </button>
    </div>
  );
}
