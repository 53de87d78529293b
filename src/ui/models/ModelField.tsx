/** Which policy the next run starts from: a name that is typed, or a folder that is chosen. */
import { useRef, useState } from "preact/hooks";
import { dropped } from "../state/model_access.ts";
import { chosenFiles } from "./given_files.ts";
import { useKeptModels } from "./kept.ts";
import { chooseModel, takeFiles } from "./take.ts";
import "./models.css";

export function FolderButton() {
  const input = useRef<HTMLInputElement>(null);
  return (
    <>
      <button type="button" class="button" onClick={() => input.current?.click()}>
        Folder …
      </button>
      <input
        ref={(element: HTMLInputElement | null) => {
          input.current = element;
          // Known to browsers, not to the types of attributes.
          element?.setAttribute("webkitdirectory", "");
        }}
        type="file"
        class="visually-hidden"
        tabIndex={-1}
        aria-label="Folder of a model"
        onChange={async ({ currentTarget }) => {
          const given = chosenFiles(currentTarget.files as FileList);
          currentTarget.value = "";
          await takeFiles(given);
        }}
      />
    </>
  );
}

/** @param inherited what holds where the draft names no model of its own */
export function ModelField({ model, inherited }: { model: string | undefined; inherited: string }) {
  const kept = useKeptModels() ?? [];
  // Held here, so that nothing that is drawn meanwhile takes it away.
  const [typed, setTyped] = useState<string | null>(null);
  return (
    <div class="models-field">
      <label>
        <span class="models-label">Model</span>
        <input
          class="input mono"
          type="text"
          list="known-models"
          spellcheck={false}
          autocomplete="off"
          placeholder={inherited}
          value={typed ?? model ?? ""}
          onInput={({ currentTarget }) => setTyped(currentTarget.value)}
          onChange={({ currentTarget }) => {
            chooseModel(currentTarget.value.trim());
            setTyped(null);
          }}
        />
      </label>
      <datalist id="known-models">
        <option value="builtin:chain-sum" />
        {kept
          .filter(({ complete }) => complete)
          .map(({ model: name }) => (
            <option key={name} value={name} />
          ))}
        {Object.keys(dropped.value).map((name) => (
          <option key={name} value={`dropped:${name}`} />
        ))}
      </datalist>
      <FolderButton />
    </div>
  );
}
