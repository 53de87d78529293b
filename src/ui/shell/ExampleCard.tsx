/** One problem and what the policy answers to it, held long enough to be read. */
import { useRef } from "preact/hooks";
import { decimal } from "../parts/format.ts";
import { Icon } from "../parts/Icon.tsx";
import type { RunFeed } from "../state/run_feed.ts";
import { type BeforeAndAfter, beforeAndAfter, type Example, exampleOf, exampleOfSamples } from "./example.ts";

/** While steps fly by, an example stays this long. */
const HOLD_MS = 2000;

interface Held {
  run: RunFeed;
  step: number;
  since: number;
  example: Example | null;
}

/** The newest step's example; while the run moves on by itself, not a new one before the last was read. */
function useExample(run: RunFeed): Held {
  const held = useRef<Held>({ run, step: -1, since: 0, example: null });
  const step = run.rollouts.at(-1)?.step ?? 0;
  const { current } = held;
  const moves = run.phase.value === "training";
  const read = performance.now() - current.since >= HOLD_MS;
  if (current.run !== run || (current.step !== step && (!moves || read || step < current.step)))
    held.current = {
      run,
      step,
      since: performance.now(),
      example: exampleOf(run.rollouts.filter((row) => row.step === step)),
    };
  return held.current;
}

const word = (right: boolean | null) => (right === null ? "not judged" : right ? "right" : "wrong");

function Mark({ right, expected = null }: { right: boolean | null; expected?: string | null }) {
  return (
    <span class={`now-mark ${right ? "is-right" : right === null ? "" : "is-wrong"}`}>
      <Icon name={right === null ? "note" : right ? "right" : "wrong"} />
      {word(right)}
      {right === false && expected !== null && <span class="soft">it is {expected}</span>}
    </span>
  );
}

export function ExampleCard({ run }: { run: RunFeed }) {
  run.changed.value;
  const find = (when: string) => run.evaluations.findLast((row) => row.when === when)?.samples ?? [];
  const held = useExample(run);
  const { step } = held;
  const example = held.example ?? exampleOfSamples(find("before"));
  const story = run.phase.value === "done" ? beforeAndAfter(find("before"), find("after")) : null;
  if (story) return <Story story={story} />;
  return (
    <div class="now-example">
      <p class="now-caption">
        <span class="now-label">One problem</span>
        <span class="num soft">{example ? (step > 0 ? `from step ${step}` : "before training") : ""}</span>
      </p>
      {example ? (
        <>
          <p class="now-question" title={`${example.lead} ${example.question}`}>
            {example.question}
          </p>
          <p class="now-thought mono">
            <span class="soft">thinks</span> <span class="now-written">{example.thought || "nothing"}</span>
          </p>
          <p class="now-answer mono">
            <span class="soft">answers</span> <b class="now-written">{example.answer || "nothing"}</b>{" "}
            <Mark right={example.right} expected={example.expected} />
            <span class="soft now-reward num">
              {example.reward === null ? "" : `reward ${decimal(example.reward)}`}
            </span>
          </p>
          {example.group.length > 0 && <Group example={example} />}
        </>
      ) : (
        <p class="soft now-empty">Its answers are shown here as they come.</p>
      )}
    </div>
  );
}

function Group({ example: { group } }: { example: Example }) {
  const right = group.filter((member) => member.right).length;
  return (
    <p class="now-group small">
      <span class="now-dots" aria-hidden="true">
        {group.slice(0, 16).map((member, index) => (
          <i key={index} class={`${member.right ? "is-right" : ""} ${member.shown ? "is-shown" : ""}`} />
        ))}
      </span>
      <span class="soft num">
        {right} of {group.length} tries right
      </span>
    </p>
  );
}

function Story({ story: { question, lead, before, after } }: { story: BeforeAndAfter }) {
  return (
    <div class="now-example">
      <p class="now-caption">
        <span class="now-label">The same problem, before and after</span>
      </p>
      <p class="now-question" title={`${lead} ${question}`}>
        {question}
      </p>
      {[
        { title: "before", told: before },
        { title: "after", told: after },
      ].map(({ title, told }) => (
        <p key={title} class="now-answer mono">
          <span class="soft">{title}</span>
          {told.thought && (
            <>
              <span class="now-written">{told.thought}</span> <span class="soft now-arrow">→</span>
            </>
          )}
          <b class="now-written">{told.answer || "nothing"}</b> <Mark right={told.right} />
        </p>
      ))}
    </div>
  );
}
