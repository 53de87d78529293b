/**
 * TRL's think format: the completion begins with the opening tag, which occurs once, and the closing tag follows. A
 * second closing tag does no harm there, so it does none here.
 */
import type { BuiltInReward } from "../reward.ts";

export const thinkFormat: BuiltInReward = ({ text }, { options }) => {
  const { thinkOpen, thinkClose, thinkPrefilled } = options;
  const whole = thinkPrefilled ? thinkOpen + text : text;
  const inside = whole.slice(thinkOpen.length);
  const holds = whole.startsWith(thinkOpen) && !inside.includes(thinkOpen) && inside.includes(thinkClose);
  return { reward: holds ? 1 : 0, reason: holds ? "tags in order" : "tags missing, twice or out of order" };
};
