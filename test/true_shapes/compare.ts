/**
 * Logits of a checkpoint of true shapes, held to a reference computed outside this project: `compare.ts NAME FOLDER`, after
 * `make.py NAME FOLDER`. The folder is served by the hub on this machine, downloaded by the code that a user's download
 * takes, loaded, and asked for the next token after each of the sixteen prefixes. Run by hand under Deno: CONTRIBUTING.md.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { LoadedModel } from "../../src/answering.ts";
import { openDiskStore } from "../../src/data/file_store_disk.ts";
import { fetchModel } from "../../src/data/hub/cache.ts";
import { loadModelText } from "../../src/data/source.ts";
import { openGpu } from "../../src/gpu/device.ts";
import { countParameters, type ModelConfig } from "../../src/model/config.ts";
import { parseSafetensors, toFloat32, toInt32 } from "../../src/model/safetensors.ts";
import { loadTokenizer } from "../../src/text/tokenizer.ts";
import { serveHub } from "../data/hub/server.ts";

/**
 * Largest difference of logits allowed, relative to the largest logit. A sum of K products in f32 is off by about ε·√K of
 * its size, ε = 2⁻²⁴, when roundings are independent; 4 of that is what one matrix product is held to in every test. The
 * residual stream is a sum of 2·L branches of about equal size, and its error that of their errors, each branch having its
 * own and passing on that of the stream it reads: by branch n the squared relative error grows by 1/n of one product's,
 * so 1 + ln(2·L) times as much in the end.
 */
function tolerance({ width, mlpWidth, layers, heads, headDim }: ModelConfig): number {
  const longest = Math.max(width, mlpWidth, heads * headDim);
  return 4 * 2 ** -24 * Math.sqrt(longest) * Math.sqrt(1 + Math.log(2 * layers));
}

/** Index of the largest entry. */
const argmax = (values: Float32Array): number =>
  values.reduce((best, value, i) => (value > values[best] ? i : best), 0);

const largest = (values: Float32Array): number =>
  values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);

const distance = (a: Float32Array, b: Float32Array): number =>
  a.reduce((most, value, i) => Math.max(most, Math.abs(value - b[i])), 0);

const [name, folder] = process.argv.slice(2);
if (!folder) throw new RangeError("Cannot compare: the words `NAME FOLDER` are needed, as make.py had them");
const root = mkdtempSync(join(tmpdir(), "true-shapes-"));
const id = `local/${name}`;
const files = Object.fromEntries(readdirSync(folder).map((file) => [file, { path: join(folder, file) }]));
const hub = await serveHub({ [id]: { files } });
try {
  let began = performance.now();
  const seconds = () => {
    const passed = (performance.now() - began) / 1000;
    began = performance.now();
    return passed.toFixed(1);
  };
  const fetched = await fetchModel(openDiskStore(root), id, { hubUrl: hub.url });
  console.log(`${name}: ${fetched.downloadedBytes} bytes downloaded and checked in ${seconds()} s`);

  const loaded = await loadModelText(fetched.source);
  const { config } = loaded;
  const tokenizer = await loadTokenizer(loaded);
  const text = "The café's 3 wolves ran 12 km.";
  if (tokenizer.decode(tokenizer.encode(text)) !== text) throw new Error("the tokenizer changes text");
  const gpu = await openGpu({ label: "compare", baseOnly: true });
  const reference = parseSafetensors(
    readFileSync(join(folder, "..", `${name}-reference.safetensors`)),
  ).tensors;
  const ids = Uint32Array.from(toInt32(reference.get("ids")!));
  using model = await LoadedModel.open(
    gpu,
    { files: loaded, eosIds: tokenizer.eosIds },
    { concurrency: 1, maxSequence: ids.length },
  );
  console.log(`${countParameters(config)} parameters loaded onto ${gpu.adapterName} in ${seconds()} s`);

  const [wanted, exact] = [reference.get("logits")!, reference.get("logits_f64")!].map(toFloat32);
  const scale = largest(exact);
  const rows = { reference: 0, exact: 0, ofReference: 0, sameToken: 0 };
  for (let t = 0; t < ids.length; t++) {
    const got = await model.nextLogits(ids.subarray(0, t + 1));
    const [want, right] = [wanted, exact].map((all) => all.subarray(t * got.length, (t + 1) * got.length));
    if (right.length !== config.vocabSize || !got.every(Number.isFinite))
      throw new Error(`row ${t} is not finite or not as wide as the reference`);
    rows.reference = Math.max(rows.reference, distance(got, want));
    rows.exact = Math.max(rows.exact, distance(got, right));
    rows.ofReference = Math.max(rows.ofReference, distance(want, right));
    rows.sameToken += Number(argmax(got) === argmax(want));
  }
  const share = (difference: number) => (difference / scale).toExponential(2);
  const bound = tolerance(config);
  console.log(
    `${ids.length} rows of logits in ${seconds()} s; relative to the largest, ${scale.toFixed(3)}:`,
  );
  console.log(`  from the float32 reference ${share(rows.reference)}, ${bound.toExponential(2)} allowed`);
  console.log(`  from float64 ${share(rows.exact)}; the reference itself ${share(rows.ofReference)}`);
  console.log(`  most probable token equal in ${rows.sameToken} of ${ids.length} rows`);
  const fine = rows.reference <= bound * scale && rows.sameToken === ids.length;
  console.log(fine ? "ok" : "FAILED");
  process.exitCode = fine ? 0 : 1;
  gpu.destroy();
} finally {
  await hub.close();
  rmSync(root, { recursive: true, force: true });
}
