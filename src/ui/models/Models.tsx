/** The models and data sets at hand: downloads, uploads and folders that were given, with their sizes; to be chosen and removed. */
import { useRef, useState } from "preact/hooks";
import { byteText } from "../parts/format.ts";
import type { KeptDataset, KeptModel } from "../session/api.ts";
import { ask } from "../shell/session.ts";
import { dropped } from "../state/model_access.ts";
import { DownloadBar } from "./DownloadBar.tsx";
import { dataOf, download } from "./download.ts";
import { HubAccess } from "./HubAccess.tsx";
import { useKeptDatasets, useKeptModels } from "./kept.ts";
import { FolderButton } from "./ModelField.tsx";
import { chooseModel } from "./take.ts";
import "./models.css";

interface ItemProps {
  name: string;
  /** What it is, where its name alone does not say. */
  kind?: string;
  size: number;
  note: string;
  /** Of what a run can be told to use; true where it is. */
  chosen?: boolean;
  remove: { word: string; act(): unknown };
}

function Item({ name, kind, size, note, chosen, remove }: ItemProps) {
  const [sure, setSure] = useState(false);
  const what = kind ? `${kind} ${name}` : name;
  return (
    <li class="models-item">
      <span class="mono models-name">{name}</span>
      <span class="small soft num">
        {byteText(size)}
        {note && `, ${note}`}
      </span>
      <span class="models-actions">
        {chosen !== undefined && (
          <button
            type="button"
            class="button models-use"
            disabled={chosen}
            aria-label={`${chosen ? "Chosen" : "Use"} ${what}`}
            onClick={() => chooseModel(name)}
          >
            {chosen ? "Chosen" : "Use"}
          </button>
        )}
        <button
          type="button"
          class={`button quiet models-remove ${sure ? "models-sure" : ""}`}
          aria-label={`${sure ? `${remove.word} for good:` : remove.word} ${what}`}
          onClick={() => {
            setSure(!sure);
            if (sure) remove.act();
          }}
          onBlur={() => setSure(false)}
        >
          {sure ? `${remove.word} for good` : `${remove.word} …`}
        </button>
      </span>
    </li>
  );
}

function noteOf({ complete, base }: KeptModel): string {
  if (!complete) return "not whole yet: use it, and its download goes on";
  return base === undefined ? "" : `adapters for ${base}`;
}

function noteOfDataset({ files, complete }: KeptDataset): string {
  const names = files.join(", ");
  if (complete) return names;
  return `${names && `${names}; `}not whole yet: a run that needs it goes on with its download`;
}

function forget(name: string): void {
  const { [name]: _, ...others } = dropped.value;
  dropped.value = others;
}

/** @param chosen the model of the next run */
export function Models({ chosen }: { chosen: string | undefined }) {
  const kept = useKeptModels();
  const datasets = useKeptDatasets();
  const title = useRef<HTMLHeadingElement>(null);
  const [told, setTold] = useState("");
  const given = Object.entries(dropped.value);
  const going = download.value;
  // What is on its way has the bar below.
  const isComing = ({ model, complete }: KeptModel) =>
    !complete && going?.needed.names.some((name) => name.split("@")[0] === model);
  const shown = kept?.filter((model) => !isComing(model));
  const shownData = datasets?.filter(({ id, complete }) => complete || !going || dataOf(going.needed) !== id);
  /** The button that was pressed goes with its line. */
  const removed = (what: string) => {
    setTold(`${what} is removed`);
    title.current?.focus();
  };
  const remove = async (what: string, act: Parameters<typeof ask>[0]) => {
    if ((await ask(act)) !== null) removed(what);
  };
  return (
    <section class="card settings-section" aria-labelledby="models-title">
      <header class="settings-section-head">
        <h3 ref={title} id="models-title" tabIndex={-1}>
          Models at hand
        </h3>
        <p class="small soft">
          A model of the hub is named <code>owner/name</code> or <code>owner/name@revision</code> and is
          downloaded once, before its first run. A folder can also be dropped anywhere on the page.
        </p>
      </header>
      <ul class="models-list">
        {given.map(([name, files]) => (
          <Item
            key={`dropped ${name}`}
            name={`dropped:${name}`}
            size={Object.values(files).reduce((sum, { size }) => sum + size, 0)}
            note="read from where it lies, until this page is closed"
            chosen={chosen === `dropped:${name}`}
            remove={{
              word: "Forget",
              act: () => {
                forget(name);
                removed(name);
              },
            }}
          />
        ))}
        {shown?.map((model) => (
          <Item
            key={`${model.model} ${model.commit}`}
            name={model.model}
            size={model.bytes}
            note={noteOf(model)}
            chosen={chosen === model.model}
            remove={{
              word: "Delete",
              act: () => remove(model.model, (client) => client.removeModel(model)),
            }}
          />
        ))}
      </ul>
      {shown?.length === 0 && !going && given.length === 0 && (
        <p class="small soft">None yet, besides the built-in policy.</p>
      )}
      {going && <DownloadBar download={going} />}
      {shownData && shownData.length > 0 && (
        <>
          <h4 id="datasets-title" class="models-datasets">
            Data sets
          </h4>
          <ul class="models-list" aria-labelledby="datasets-title">
            {shownData.map((dataset) => (
              <Item
                key={dataset.id}
                name={dataset.id}
                kind="data set"
                size={dataset.bytes}
                note={noteOfDataset(dataset)}
                remove={{
                  word: "Delete",
                  act: () => remove(`data set ${dataset.id}`, (client) => client.removeDataset(dataset.id)),
                }}
              />
            ))}
          </ul>
        </>
      )}
      <p class="visually-hidden" role="status">
        {told}
      </p>
      <div class="models-foot">
        <FolderButton />
        <HubAccess />
      </div>
    </section>
  );
}
