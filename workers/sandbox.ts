/** The worker where code that may hang runs: computer algebra and users' reward functions. It is killed, never asked to stop. */
import { serve } from "../src/rpc/connect.ts";
import type { SandboxApi } from "../src/verifier/sandbox.ts";
import { equalSymbolically, warmSymbolic } from "../src/verifier/symbolic.ts";
import { callReward, loadRewards } from "../src/verifier/user_module.ts";

const api: SandboxApi = { warmSymbolic, equalSymbolically, loadRewards, callReward };
serve(api);
