/** Small pieces of text that the settings are made of. */
import type { Problem } from "./draft.ts";
import type { SourcePart } from "./fields.ts";

/** Prose with `code` in backticks; flags such as --model stay on one line. */
export function Words({ text }: { text: string }) {
  const parts = text.replace(/(^|[\s(])(--[\w-]+)/g, "$1`$2`").split("`");
  return <>{parts.map((part, i) => (i % 2 === 1 ? <code key={i}>{part}</code> : part))}</>;
}

/** Where a default comes from; nothing is fetched unless the link is followed. */
export function Source({ parts }: { parts: readonly SourcePart[] }) {
  return (
    <span class="settings-source">
      {parts.map(({ text, url }) =>
        url === undefined ? (
          <span
            key={text}
            title={text === "prototype" ? "Worked in a prototype outside this project" : undefined}
          >
            {text}
          </span>
        ) : (
          <a key={text} href={url} target="_blank" rel="noopener noreferrer">
            {text}
          </a>
        ),
      )}
    </span>
  );
}

/** A mistake and what mends it. */
export function Mistake({ problem, id }: { problem: Problem; id?: string }) {
  return (
    <p class="settings-mistake" id={id}>
      <Words text={problem.message} />.
      {problem.hint !== undefined && (
        <span class="settings-mend">
          <Words text={problem.hint.charAt(0).toUpperCase() + problem.hint.slice(1)} />
        </span>
      )}
    </p>
  );
}
