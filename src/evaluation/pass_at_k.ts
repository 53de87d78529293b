/**
 * Estimates from n graded completions of a problem: pass@k without bias (Chen et al. 2021, arXiv:2107.03374, as a
 * product) and maj@k as the exact expectation over all subsets of k completions, ties shared evenly.
 */

/**
 * Gives the probability that k completions drawn from n, of which `right` are right, hold a right one.
 * @throws RangeError unless 1 ≤ k ≤ n and 0 ≤ right ≤ n.
 */
export function passAtK(n: number, right: number, k: number): number {
  if (!(k >= 1 && k <= n && right >= 0 && right <= n)) {
    throw new RangeError(`pass@${k} needs 1 ≤ k ≤ n and 0 ≤ right ≤ n, not n ${n}, right ${right}`);
  }
  if (n - right < k) return 1;
  let allWrong = 1;
  for (let i = n - right + 1; i <= n; i++) allWrong *= 1 - k / i;
  return 1 - allWrong;
}

/** What one completion votes for. */
export interface Vote {
  /** The normalised answer; null casts no vote. */
  answer: string | null;
  correct: boolean;
}

/** Row n of Pascal's triangle, as floats: finite up to n = 1024 only if the ratio is taken first. */
function binomials(n: number): number[] {
  const row = [1];
  for (let i = 1; i <= n; i++) row.push(row[i - 1] * ((n - i + 1) / i));
  return row;
}

/**
 * Ways to take `k` votes in which one answer, `leader` strong, gets exactly `top` votes and no other gets more, each way
 * weighed by 1 / (number of answers with `top` votes).
 */
function waysToLead(
  leader: number,
  others: readonly number[],
  abstain: number,
  top: number,
  k: number,
): number {
  // ways[tied][taken]
  let ways: number[][] = [new Array<number>(k + 1).fill(0)];
  const silent = binomials(abstain);
  for (let taken = 0; taken <= Math.min(abstain, k - top); taken++) ways[0][taken + top] = silent[taken];
  for (const strength of others) {
    const choices = binomials(strength);
    const next = Array.from({ length: ways.length + 1 }, () => new Array<number>(k + 1).fill(0));
    ways.forEach((row, tied) => {
      row.forEach((count, taken) => {
        if (count === 0) return;
        for (let votes = 0; votes <= Math.min(strength, top, k - taken); votes++) {
          next[tied + (votes === top ? 1 : 0)][taken + votes] += count * choices[votes];
        }
      });
    });
    ways = next.filter((row, tied) => tied === 0 || row.some((count) => count > 0));
  }
  const shared = ways.reduce((sum, row, tied) => sum + row[k] / (tied + 1), 0);
  return binomials(leader)[top] * shared;
}

/**
 * Gives the probability that the most frequent answer of k completions drawn from the given ones is right. Completions
 * without an answer are drawn but do not vote; answers that are tied win equally often.
 * @throws RangeError unless 1 ≤ k ≤ number of votes ≤ 1024.
 */
export function majAtK(votes: readonly Vote[], k: number): number {
  if (!(k >= 1 && k <= votes.length && votes.length <= 1024)) {
    throw new RangeError(`maj@${k} needs 1 ≤ k ≤ votes ≤ 1024, not ${votes.length} votes`);
  }
  const answers = new Map<string, { strength: number; correct: boolean }>();
  let abstain = 0;
  for (const { answer, correct } of votes) {
    if (answer === null) abstain++;
    else {
      const entry = answers.get(answer) ?? { strength: 0, correct: false };
      answers.set(answer, { strength: entry.strength + 1, correct: entry.correct || correct });
    }
  }
  const all = [...answers.values()];
  const total = binomials(votes.length)[k];
  let favourable = 0;
  all.forEach((entry, i) => {
    if (!entry.correct) return;
    const others = all.filter((_, j) => j !== i).map(({ strength }) => strength);
    for (let top = 1; top <= Math.min(entry.strength, k); top++) {
      favourable += waysToLead(entry.strength, others, abstain, top, k);
    }
  });
  return Math.min(1, favourable / total);
}

/** Brings an answer to the form in which equal answers are voted for together; null stays null. */
export function normaliseVote(answer: string | null | undefined): string | null {
  if (answer === null || answer === undefined) return null;
  const bare = answer.replace(/\s+|\$|\\[,;!]/g, "").replace(/\.$/, "");
  if (bare === "") return null;
  const number = /^([+-]?)0*(\d+)(?:\.(\d*?)0*)?$/.exec(bare);
  if (!number) return bare;
  const [, sign, whole, fraction] = number;
  const size = fraction ? `${whole}.${fraction}` : whole;
  return sign === "-" && size !== "0" ? `-${size}` : size;
}
