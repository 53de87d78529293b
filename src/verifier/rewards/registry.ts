/** All built-in reward functions by the name a recipe gives them. */
import type { BuiltInReward } from "../reward.ts";
import { accuracy } from "./accuracy.ts";
import { cosine } from "./cosine.ts";
import { countdown } from "./countdown.ts";
import { digits } from "./digits.ts";
import { format } from "./format.ts";
import { language } from "./language.ts";
import { magistral } from "./magistral.ts";
import { repetition } from "./repetition.ts";
import { softOverlong } from "./soft_overlong.ts";
import { thinkFormat } from "./think_format.ts";

export const BUILT_IN_REWARDS: Readonly<Record<string, BuiltInReward>> = {
  magistral,
  format,
  accuracy,
  language,
  soft_overlong: softOverlong,
  think_format: thinkFormat,
  repetition,
  cosine,
  digits,
  countdown,
};
