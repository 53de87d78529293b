/** A completion as plain text with its reward, for setting two side by side. */
import { fixed } from "./format.ts";

interface AnswerProps {
  /** When it was written. */
  title: string;
  completion: string;
  reward: number | null;
  correct: number | null;
}

export function Answer({ title, completion, reward, correct }: AnswerProps) {
  return (
    <div class="rollouts-answer">
      <div class="rollouts-answer-head">
        <span class="small soft num">{title}</span>
        <span class="small num">
          {correct !== null && (
            <span class={`rollouts-mark ${correct === 1 ? "right" : "wrong"}`}>
              {correct === 1 ? "✓ right" : "✗ wrong"}
            </span>
          )}{" "}
          {fixed(reward)}
        </span>
      </div>
      <pre class="rollouts-answer-text">{completion}</pre>
    </div>
  );
}
