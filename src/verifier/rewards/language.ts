/** 1 where problem, thoughts and answer are in one language (arXiv:2506.10910 §2.2.4), else 0. */
import type { Problem } from "../../rollout.ts";
import type { FormatCheck } from "../format.ts";
import type { BuiltInReward, RewardContext } from "../reward.ts";

/** The words a problem is put in: text, or the last thing the user says. */
export function problemText(problem: Problem): string {
  if (typeof problem.prompt === "string") return problem.prompt;
  const asked = problem.prompt.filter((message) => message.role === "user");
  return asked[asked.length - 1]?.content ?? "";
}

/** Whether the three parts agree; parts too short to tell count as `languageUnknown` says. */
export async function speaksOneLanguage(
  problem: Problem,
  { thoughts, response }: Pick<FormatCheck, "thoughts" | "response">,
  { language, options }: RewardContext,
): Promise<{ same: boolean; reason: string }> {
  const parts = [problemText(problem), thoughts, response];
  const languages: (string | null)[] = [];
  for (const part of parts) languages.push(await language(part));
  const known = languages.filter((name) => name !== null);
  const told = languages.map((name) => name ?? "unknown").join(", ");
  const needed = options.languageUnknown === "ignore" ? 2 : parts.length;
  const same = known.length >= needed && known.every((name) => name === known[0]);
  return { same, reason: `languages of problem, thoughts, answer: ${told}` };
}

export const language: BuiltInReward = async (sample, context) => {
  const { same, reason } = await speaksOneLanguage(sample.problem, context.checkFormat(sample.text), context);
  return { reward: same ? 1 : 0, reason };
};
