/** `npm run eval` on a folder that the page handed out. */
import { execFile } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { denoTarget } from "../../src/cli/setup/packages.mjs";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** pass@1 as the command line finds it; the checkpoint may lie one folder down. */
export async function evaluateFolder(
  folder: string,
  { problems, samples, maxTokens }: { problems: number; samples: number; maxTokens: number },
): Promise<number> {
  const inner = readdirSync(folder).find((name) => existsSync(join(folder, name, "config.json")));
  const model = existsSync(join(folder, "config.json")) ? folder : join(folder, inner ?? "");
  const deno = join(root, "node_modules/@deno", denoTarget(process.platform, process.arch), "deno");
  const flags = ["run", "-A", "--no-lock", "--node-modules-dir=manual", join(root, "src/cli/main.ts")];
  const words = ["eval", "--model", model, "--task", "chain_sum", "--json"];
  const options = ["--limit", `${problems}`, "--samples", `${samples}`, "--max-tokens", `${maxTokens}`];
  const { stdout } = await promisify(execFile)(deno, [...flags, ...words, ...options], {
    env: { ...process.env, INIT_CWD: root, XDG_RUNTIME_DIR: process.env.XDG_RUNTIME_DIR ?? tmpdir() },
    maxBuffer: 2 ** 26,
  });
  const rows = stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  const found = rows.map((row) => (row.metrics as Record<string, number> | undefined) ?? row).at(-1);
  return Number(found?.["pass@1"]);
}
