/** The models at hand: downloads, uploads and folders that were given, with their sizes; to be chosen and removed. */
import { useState } from "preact/hooks";
import { byteText } from "../parts/format.ts";
import type { KeptModel } from "../session/api.ts";
import { ask } from "../shell/session.ts";
import { dropped } from "../state/model_access.ts";
import { DownloadBar } from "./DownloadBar.tsx";
import { download } from "./download.ts";
import { HubAccess } from "./HubAccess.tsx";
import { useKeptModels } from "./kept.ts";
import { FolderButton } from "./ModelField.tsx";
import { chooseModel } from "./take.ts";
import "./models.css";

interface ItemProps {
  model: string;
  size: number;
  note: string;
  chosen: boolean;
  remove: { word: string; act(): unknown };
}

function Item({ model, size, note, chosen, remove }: ItemProps) {
  const [sure, setSure] = useState(false);
  return (
    <li class="models-item">
      <span class="mono models-name">{model}</span>
      <span class="small soft num">
        {byteText(size)}
        {note && `, ${note}`}
      </span>
      <span class="models-actions">
        <button
          type="button"
          class="button models-use"
          disabled={chosen}
          aria-label={`${chosen ? "Chosen" : "Use"} ${model}`}
          onClick={() => chooseModel(model)}
        >
          {chosen ? "Chosen" : "Use"}
        </button>
        <button
          type="button"
          class={`button quiet models-remove ${sure ? "models-sure" : ""}`}
          aria-label={`${sure ? `${remove.word} for good:` : remove.word} ${model}`}
          onClick={() => (sure ? remove.act() : setSure(true))}
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

function forget(name: string): void {
  const { [name]: _, ...others } = dropped.value;
  dropped.value = others;
}

/** @param chosen the model of the next run */
export function Models({ chosen }: { chosen: string | undefined }) {
  const kept = useKeptModels();
  const given = Object.entries(dropped.value);
  const going = download.value;
  // What is on its way has the bar below.
  const isComing = ({ model, complete }: KeptModel) =>
    !complete && going?.needed.names.some((name) => name.split("@")[0] === model);
  const shown = kept?.filter((model) => !isComing(model));
  return (
    <section class="card settings-section" aria-labelledby="models-title">
      <header class="settings-section-head">
        <h3 id="models-title">Models at hand</h3>
        <p class="small soft">
          A model of the hub is named <code>owner/name</code> or <code>owner/name@revision</code> and is
          downloaded once, before its first run. A folder can also be dropped anywhere on the page.
        </p>
      </header>
      <ul class="models-list">
        {given.map(([name, files]) => (
          <Item
            key={`dropped ${name}`}
            model={`dropped:${name}`}
            size={Object.values(files).reduce((sum, { size }) => sum + size, 0)}
            note="read from where it lies, until this page is closed"
            chosen={chosen === `dropped:${name}`}
            remove={{ word: "Forget", act: () => forget(name) }}
          />
        ))}
        {shown?.map((model) => (
          <Item
            key={`${model.model} ${model.commit}`}
            model={model.model}
            size={model.bytes}
            note={noteOf(model)}
            chosen={chosen === model.model}
            remove={{ word: "Delete", act: () => ask((client) => client.removeModel(model)) }}
          />
        ))}
      </ul>
      {shown?.length === 0 && !going && given.length === 0 && (
        <p class="small soft">None yet, besides the built-in policy.</p>
      )}
      {going && <DownloadBar download={going} />}
      <div class="models-foot">
        <FolderButton />
        <HubAccess />
      </div>
    </section>
  );
}
