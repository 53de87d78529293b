// sample — token[b] ~ softmax(logits[row] · inverse_temperature) restricted to what top-k, top-p and min-p keep
// Papers: Fan et al. 2018, arXiv:1805.04833 (top-k); Holtzman et al. 2019, arXiv:1904.09751 (top-p);
// Nguyen et al. 2024, arXiv:2407.01082 (min-p).  Random bits: Philox4x32-10, see philox.wgsl.
//
//   binding  name     shape   type  access
//   0        params   -       Params uniform
//   1        logits   (R, V)  f32   read
//   2        draws    (B, 4)  u32   read         logits row (0xffffffff: none), rollout id low and high, completion index
//   3        sampled  (B, 4)  u32   read_write   token, bits of its log-probability, bits of the entropy, flags
//
// Dispatch: (min(B, 65535), 1, 1), one workgroup per row, striding.  Workgroup: WORKGROUP_SIZE lanes, power of two.
// Each filter looks at the whole distribution after temperature and keeps ties: top-k what is at least the k-th
// largest, top-p what has a mass under top_p strictly above it, min-p what is at least min_p times the largest; a token
// must pass all.  Thresholds are found bit by bit over the ordered bits of the scaled logits, hence exactly.
// inverse_temperature 0 takes the largest logit, the lowest index on ties, log-probability 0.
// top_k 0, top_p 1, min_p 0 switch a filter off.  A logit of -inf has probability 0.
// Flags: 0 nothing drawn (token 0xffffffff), 1 drawn, 3 broken logits (NaN, +inf or all -inf): token 0, log-probability 0.
// Numerics: f32 sums in a fixed order, inverse of the cumulative sum in token order at a 24-bit uniform number; logprob is
// that of the distribution drawn from, tested to 1e-5.

override WORKGROUP_SIZE: u32 = 64;

struct Params {
  rows: u32,
  logit_rows: u32,
  vocab: u32,
  seed_low: u32,
  seed_high: u32,
  top_k: u32,
  top_p: f32,
  min_p: f32,
  inverse_temperature: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> logits: array<f32>;
@group(0) @binding(2) var<storage, read> draws: array<vec4<u32>>;
@group(0) @binding(3) var<storage, read_write> sampled: array<vec4<u32>>;

const NONE = 0xffffffffu;
const KEY_OF_INFINITY = 0xff800000u;
const KEY_OF_MINUS_INFINITY = 0x007fffffu;

var<workgroup> words: array<u32, WORKGROUP_SIZE>;
var<workgroup> partial: array<f32, WORKGROUP_SIZE>;
var<workgroup> weighted: array<f32, WORKGROUP_SIZE>;

// The upper 32 bits of a · b, by 16-bit halves.
fn multiply_high(a: u32, b: u32) -> u32 {
  let low = (a & 0xffffu) * (b & 0xffffu);
  let cross = (a >> 16u) * (b & 0xffffu) + (low >> 16u);
  let other = (a & 0xffffu) * (b >> 16u) + (cross & 0xffffu);
  return (a >> 16u) * (b >> 16u) + (cross >> 16u) + (other >> 16u);
}

fn philox4x32(start: vec4<u32>, key: vec2<u32>) -> vec4<u32> {
  var c = start;
  var k = key;
  for (var round = 0u; round < 10u; round++) {
    c = vec4(
      multiply_high(0xcd9e8d57u, c.z) ^ c.y ^ k.x,
      0xcd9e8d57u * c.z,
      multiply_high(0xd2511f53u, c.x) ^ c.w ^ k.y,
      0xd2511f53u * c.x,
    );
    k += vec2(0x9e3779b9u, 0xbb67ae85u);
  }
  return c;
}

// Unsigned integers in the order of the numbers; NaN above all, both zeros alike.
fn key_of(scaled: f32) -> u32 {
  let bits = bitcast<u32>(scaled);
  if ((bits & 0x7fffffffu) > 0x7f800000u) {
    return NONE;
  }
  if ((bits & 0x7fffffffu) == 0u) {
    return 0x80000000u;
  }
  return select(bits | 0x80000000u, ~bits, (bits & 0x80000000u) != 0u);
}

fn value_of(key: u32) -> f32 {
  return bitcast<f32>(select(~key, key & 0x7fffffffu, (key & 0x80000000u) != 0u));
}

// exp(scaled − peak): the probability up to the common factor.
fn weight_of(scaled: f32, key: u32, peak: f32) -> f32 {
  return select(exp(scaled - peak), 0.0, key <= KEY_OF_MINUS_INFINITY);
}

// The sum of every lane's value, to all lanes, in an order that depends on nothing but the number of lanes.
fn sum_of_lanes(lane: u32, value: f32) -> f32 {
  // The previous sum must have been read by all.
  workgroupBarrier();
  partial[lane] = value;
  for (var half = WORKGROUP_SIZE / 2; half > 0; half /= 2) {
    // The other half's sums must be written before they are added.
    workgroupBarrier();
    if (lane < half) {
      partial[lane] += partial[lane + half];
    }
  }
  // Every lane reads what lane 0 finished.
  workgroupBarrier();
  return partial[0];
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn sample(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
  @builtin(num_workgroups) groups: vec3<u32>,
) {
  let greedy = params.inverse_temperature == 0.0;
  let scale = select(params.inverse_temperature, 1.0, greedy);
  for (var b = group.x; b < params.rows; b += groups.x) {
    let draw = draws[b];
    if (draw.x >= params.logit_rows) {
      if (lane == 0) {
        sampled[b] = vec4(NONE, 0u, 0u, 0u);
      }
      continue;
    }
    let base = draw.x * params.vocab;

    var top_key = 0u;
    for (var v = lane; v < params.vocab; v += WORKGROUP_SIZE) {
      top_key = max(top_key, key_of(logits[base + v] * scale));
    }
    // The last row's keys must have been read by all.
    workgroupBarrier();
    words[lane] = top_key;
    for (var half = WORKGROUP_SIZE / 2; half > 0; half /= 2) {
      // The other half's keys must be written before they are compared.
      workgroupBarrier();
      if (lane < half) {
        words[lane] = max(words[lane], words[lane + half]);
      }
    }
    // Every lane reads what lane 0 finished.
    workgroupBarrier();
    top_key = words[0];
    let peak = value_of(top_key);
    // From here on only data depend on the logits, no loop: broken ones cost a wrong draw, never a hang.
    let broken = top_key >= KEY_OF_INFINITY || top_key <= KEY_OF_MINUS_INFINITY;

    var threshold = select(0u, top_key, greedy);
    if (params.top_k > 0 && params.top_k < params.vocab && !greedy) {
      // The largest key that at least top_k keys reach is the k-th largest key.
      var found = 0u;
      for (var bit = 0x80000000u; bit > 0; bit >>= 1) {
        var count = 0u;
        for (var v = lane; v < params.vocab; v += WORKGROUP_SIZE) {
          count += select(0u, 1u, key_of(logits[base + v] * scale) >= (found | bit));
        }
        found |= select(0u, bit, sum_of_lanes(lane, f32(count)) >= f32(params.top_k));
      }
      threshold = max(threshold, found);
    }
    if (params.top_p < 1.0 && !greedy) {
      var mass = 0.0;
      for (var v = lane; v < params.vocab; v += WORKGROUP_SIZE) {
        let scaled = logits[base + v] * scale;
        mass += weight_of(scaled, key_of(scaled), peak);
      }
      let wanted = params.top_p * sum_of_lanes(lane, mass);
      // The largest key from which upwards the mass is reached: all above it have less than that before them.
      var found = 0u;
      for (var bit = 0x80000000u; bit > 0; bit >>= 1) {
        mass = 0.0;
        for (var v = lane; v < params.vocab; v += WORKGROUP_SIZE) {
          let scaled = logits[base + v] * scale;
          let key = key_of(scaled);
          mass += select(0.0, weight_of(scaled, key, peak), key >= (found | bit));
        }
        found |= select(0u, bit, sum_of_lanes(lane, mass) >= wanted);
      }
      threshold = max(threshold, found);
    }
    threshold = min(threshold, top_key);
    let least = select(params.min_p, 0.0, greedy);

    // Each lane owns a run of tokens, so that the cumulative sum goes in token order.
    let run = (params.vocab + WORKGROUP_SIZE - 1) / WORKGROUP_SIZE;
    let first = lane * run;
    let end = min(first + run, params.vocab);
    var mass = 0.0;
    var energy = 0.0;
    for (var v = first; v < end; v++) {
      let scaled = logits[base + v] * scale;
      let key = key_of(scaled);
      let weight = weight_of(scaled, key, peak);
      if (key >= threshold && weight > 0.0 && (weight >= least || key == top_key)) {
        mass += weight;
        energy += weight * (scaled - peak);
      }
    }
    // The last sum must have been read by all.
    workgroupBarrier();
    partial[lane] = mass;
    weighted[lane] = energy;
    // Every lane adds up all runs in the same order.
    workgroupBarrier();
    var before = 0.0;
    var total = 0.0;
    energy = 0.0;
    for (var other = 0u; other < WORKGROUP_SIZE; other++) {
      before = select(before, total, other == lane);
      total += partial[other];
      energy += weighted[other];
    }
    let random = philox4x32(vec4(draw.w, draw.y, draw.z, 0u), vec2(params.seed_low, params.seed_high));
    let target_mass = select(f32(random.x >> 8u) * 0x1p-24f * total, 0.0, greedy);
    if (broken) {
      if (lane == 0) {
        sampled[b] = vec4(0u, 0u, 0u, 3u);
      }
    } else if (before <= target_mass && target_mass < before + mass) {
      // One lane alone: its run holds the first token whose cumulative sum exceeds the target. Should rounding differ
      // between this loop and the one above, it ends on the run's last token that is kept.
      var token = first;
      var chosen = 0.0;
      var reached = 0.0;
      for (var v = first; v < end && !(before + reached > target_mass); v++) {
        let scaled = logits[base + v] * scale;
        let key = key_of(scaled);
        let weight = weight_of(scaled, key, peak);
        if (key >= threshold && weight > 0.0 && (weight >= least || key == top_key)) {
          reached += weight;
          token = v;
          chosen = scaled;
        }
      }
      let size = log(total);
      let logprob = select((chosen - peak) - size, 0.0, greedy);
      let entropy = select(size - energy / total, 0.0, greedy);
      sampled[b] = vec4(token, bitcast<u32>(logprob), bitcast<u32>(entropy), 1u);
    }
  }
}
