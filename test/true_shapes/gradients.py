#!/usr/bin/env python3
"""Recomputes by automatic differentiation the gradients that gradients.ts wrote down, and compares.

    gradients.py NAME FOLDER [--float64]

Reads FOLDER/../NAME-step.safetensors: the batch, what the stages made of it, and one gradient per trained tensor, before
clipping. Advantages and token weights are formed anew from rewards and groups (Magistral: centred on the group, divided by
the population deviation over the sequences; every prompt weighs the same), the loss is −Σ weight · min(ρA, clip(ρ)A) over
completion tokens, and the policy is the reference decoder. An adapted matrix is W + scale · B·A, merged, so that nothing of
how adapters are computed here is taken over.
"""
import argparse
import json
import struct
from pathlib import Path

import torch
from checkpoint import MODELS, Decoder, Weights, decoder_config, read_safetensors, tensor_shapes

# Of a tensor's largest gradient; what gradients are held to everywhere in the tests.
TOLERANCE = 1e-4
# Of a log-probability, in f32 through all the layers.
LOGPROB_TOLERANCE = 1e-5


def read_metadata(path):
    with open(path, "rb") as file:
        return json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))["__metadata__"]


class Policy:
    """The weights that the decoder reads: some are leaves that want a gradient, adapted ones are made of leaves."""

    def __init__(self, weights, leaves, scale):
        self.weights, self.leaves, self.scale = weights, leaves, scale

    def __contains__(self, name):
        return name in self.weights

    def __getitem__(self, name):
        if name in self.leaves:
            return self.leaves[name]
        a = self.leaves.get(name.replace(".weight", ".lora_A.weight"))
        if a is None:
            return self.weights[name]
        b = self.leaves[name.replace(".weight", ".lora_B.weight")]
        return torch.addmm(self.weights[name], b, a, alpha=self.scale)

    def get(self, name, otherwise):
        return self[name] if name in self else otherwise


def magistral(rewards, groups, lengths):
    """Advantage and token weight of every sequence."""
    count = int(groups.max()) + 1
    centred = rewards.clone()
    weights = torch.zeros(len(rewards), dtype=torch.float64)
    for group in range(count):
        of = groups == group
        centred[of] -= rewards[of].mean()
        weights[of] = 1 / (count * lengths[of].sum().double())
    return (centred - centred.mean()) / centred.std(unbiased=False), weights


def parts(values, offsets):
    return [values[a:b] for a, b in zip(offsets[:-1].tolist(), offsets[1:].tolist())]


def relative(got, wanted):
    """Largest difference by the largest wanted; 0 where both are 0 throughout."""
    largest = wanted.abs().max().item()
    difference = (got.to(wanted.dtype) - wanted).abs().max().item()
    return difference / largest if largest > 0 else difference


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", choices=MODELS)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--float64", action="store_true", help="differentiate in float64")
    args = parser.parse_args()
    dtype = torch.float64 if args.float64 else torch.float32
    torch.set_default_dtype(dtype)
    config = decoder_config(MODELS[args.name]["config"])
    path = args.folder.resolve().parent / f"{args.name}-step.safetensors"
    step, metadata = read_safetensors(path), read_metadata(path)
    prefixed = lambda prefix: {name[len(prefix) :]: t for name, t in step.items() if name.startswith(prefix)}
    given, adapters = prefixed("gradient."), prefixed("adapter.")
    weights = Weights(args.folder, dtype)
    leaves = {name: t.to(dtype).requires_grad_() for name, t in adapters.items()} or {
        name: weights[name].requires_grad_() for name in tensor_shapes(config)
    }
    assert given.keys() == leaves.keys(), sorted(given.keys() ^ leaves.keys())[:5]
    decoder = Decoder(config, Policy(weights, leaves, float(metadata.get("scale", 0))))

    lengths = step["completion_offsets"].diff()
    advantages, token_weights = magistral(step["rewards"], step["groups"], lengths)
    assert torch.allclose(advantages, step["advantages"].double(), atol=1e-6), (advantages, step["advantages"])
    assert torch.allclose(token_weights, step["token_weights"].double(), rtol=1e-6)
    low, high = 1 - float(metadata["epsilon_low"]), 1 + float(metadata["epsilon_high"])
    apart, ratios = 0.0, []
    tokens = parts(step["tokens"].long(), step["offsets"])
    old = parts(step["generator_logprobs"], step["completion_offsets"])
    for i, (ids, before) in enumerate(zip(tokens, old)):
        logits = decoder.logits(ids[:-1])[len(ids) - len(before) - 1 :] / step["temperatures"][i].to(dtype)
        logprobs = logits.log_softmax(-1).gather(1, ids[-len(before) :, None])[:, 0]
        apart = max(apart, (logprobs.detach() - before).abs().max().item())
        ratio = (logprobs - before.to(dtype)).exp()
        ratios += ratio.tolist()
        advantage = advantages[i].to(dtype)
        term = -token_weights[i].to(dtype) * torch.minimum(ratio * advantage, ratio.clip(low, high) * advantage).sum()
        term.backward()

    errors = {name: relative(given[name], leaf.grad) for name, leaf in leaves.items()}
    worst = sorted(errors, key=errors.get)[-3:]
    norm = sum(leaf.grad.double().pow(2).sum() for leaf in leaves.values()).sqrt().item()
    silent = sum(leaf.grad.abs().max() == 0 for leaf in leaves.values())
    trained = sum(leaf.numel() for leaf in leaves.values())
    print(f"{args.name}: {len(leaves)} tensors of {trained:,} trained parameters, {silent} without any gradient")
    print(f"  {len(tokens)} sequences, advantages {[round(a, 3) for a in advantages.tolist()]}")
    allowed = LOGPROB_TOLERANCE * step["generator_logprobs"].abs().max().item()
    print(f"  log-probabilities apart by {apart:.2e} nats at most, {allowed:.2e} allowed;", end=" ")
    print(f"ratios {min(ratios):.6f} to {max(ratios):.6f}")
    print(f"  gradient norm {norm:.6g}, ours {float(metadata['grad_norm']):.6g}")
    for name in reversed(worst):
        print(f"  {name}: {errors[name]:.2e} of its largest, {TOLERANCE:.0e} allowed")
    same_norm = abs(norm / float(metadata["grad_norm"]) - 1) <= TOLERANCE
    fine = errors[worst[-1]] <= TOLERANCE and same_norm and norm > 0 and silent == 0 and apart <= allowed
    print("ok" if fine else "FAILED")
    raise SystemExit(0 if fine else 1)


if __name__ == "__main__":
    main()
