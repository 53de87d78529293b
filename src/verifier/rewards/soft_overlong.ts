/** DAPO's soft overlong punishment, from 0 down to −1, as TRL's `get_soft_overlong_punishment`; weight it 0.1 for Magistral's. */
import type { BuiltInReward } from "../reward.ts";
import { softPenalty } from "./length_penalty.ts";

export const softOverlong: BuiltInReward = ({ tokens }, { options }) => ({
  reward: softPenalty(tokens.length, options.lengthMax, options.lengthCache),
  reason: `${tokens.length} tokens`,
});
