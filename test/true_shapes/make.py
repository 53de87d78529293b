#!/usr/bin/env python3
"""Writes a checkpoint of a published model's true shapes with random weights, in the hub's layout, and a reference.

    make.py NAME OUT

NAME is one of models.json. OUT gets config.json, generation_config.json, the tokenizer's files and the weights in bf16;
beside it, NAME-reference.safetensors gets `ids` (16) and `logits` (16, V), computed in float32 by the reference decoder
from the weights as they are on disk, and `logits_f64`, the same in float64: their difference is what float32 costs.

Departures from the originals. SmolLM2's tokenizer is no development dependency: the first 49,135 entries of Qwen2.5's
byte-level BPE (a prefix of it is a tokenizer by itself) behind SmolLM2's 17 special tokens stand in for it. Llama 3.2 1B
is published as one file; here it is cut into three with an index, to have the case.
"""
import argparse
import json
import time
from pathlib import Path

import torch
from checkpoint import (
    MODELS, ROOT, Decoder, Weights, decoder_config, random_tensor, tensor_shapes, write_bf16, write_safetensors,
)

SEED = 20260101
PROMPT = 16
SMOL_SPECIAL = [
    "<|endoftext|>", "<|im_start|>", "<|im_end|>", "<repo_name>", "<reponame>", "<file_sep>", "<filename>",
    "<gh_stars>", "<issue_start>", "<issue_comment>", "<issue_closed>", "<jupyter_start>", "<jupyter_text>",
    "<jupyter_code>", "<jupyter_output>", "<jupyter_script>", "<empty_output>",
]
SMOL_TEMPLATE = (
    "{% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}"
    "{{ '<|im_start|>system\nYou are a helpful AI assistant named SmolLM, trained by Hugging Face<|im_end|>\n' }}"
    "{% endif %}{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n'}}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)


def cut_tokenizer(tokenizer, size):
    """A byte-level BPE cut to `size` entries: special tokens first, then bytes and the first merges."""
    model = tokenizer["model"]
    pieces = sorted(model["vocab"], key=model["vocab"].get)[: size - len(SMOL_SPECIAL)]
    merges = model["merges"][: len(pieces) - 256]
    assert all(a + b == piece for (a, b), piece in zip((m.split(" ") for m in merges), pieces[256:]))
    vocab = {piece: i for i, piece in enumerate(SMOL_SPECIAL + pieces)}
    added = [
        {"id": i, "content": token, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False,
         "special": True}
        for i, token in enumerate(SMOL_SPECIAL)
    ]
    config = {
        "bos_token": "<|im_start|>", "eos_token": "<|im_end|>", "pad_token": "<|im_end|>", "unk_token": "<|endoftext|>",
        "chat_template": SMOL_TEMPLATE, "clean_up_tokenization_spaces": False, "model_max_length": 8192,
        "tokenizer_class": "GPT2Tokenizer", "vocab_size": size,
    }
    return {**tokenizer, "added_tokens": added, "model": {**model, "vocab": vocab, "merges": merges}}, config


def write_json(path, content):
    path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n")


def write_tokenizer(out, package, cutTo=None):
    source = ROOT / "node_modules" / package / "models"
    tokenizer, config = (json.loads((source / f"{stem}.json").read_text()) for stem in ("tokenizer", "tokenizer_config"))
    if cutTo:
        tokenizer, config = cut_tokenizer(tokenizer, cutTo)
    write_json(out / "tokenizer.json", tokenizer)
    write_json(out / "tokenizer_config.json", config)


def write_weights(out, model):
    """One file, or `shards` files of about equal bytes with an index."""
    shapes = tensor_shapes(model["config"])
    if model.get("repeatsHead"):
        # Qwen3 0.6B is published with its tied head written out a second time.
        shapes["lm_head.weight"] = shapes["model.embed_tokens.weight"]
    source = lambda name: "model.embed_tokens.weight" if name == "lm_head.weight" else name
    tensor = lambda name: random_tensor(source(name), shapes[name], SEED)
    count = model.get("shards", 1)
    if count == 1:
        write_bf16(out / "model.safetensors", shapes, tensor)
        return
    sizes = {name: torch.Size(shape).numel() for name, shape in shapes.items()}
    parts, seen = [{} for _ in range(count)], 0
    for name, shape in shapes.items():
        parts[min(count - 1, seen * count // sum(sizes.values()))][name] = shape
        seen += sizes[name]
    files = [f"model-{k + 1:05d}-of-{count:05d}.safetensors" for k in range(count)]
    total = sum(write_bf16(out / file, part, tensor) for file, part in zip(files, parts))
    where = {name: file for file, part in zip(files, parts) for name in part}
    write_json(out / "model.safetensors.index.json", {"metadata": {"total_size": total}, "weight_map": where})


def reference_logits(folder, config, ids, dtype):
    """(T, V) logits, one layer's weights in memory at a time."""
    torch.set_default_dtype(dtype)
    with torch.no_grad():
        logits = Decoder(decoder_config(config), Weights(folder, dtype)).logits(ids)
    torch.set_default_dtype(torch.float32)
    return logits


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", choices=MODELS)
    parser.add_argument("out", type=Path)
    args = parser.parse_args()
    model, out = MODELS[args.name], args.out
    config = model["config"]
    count = sum(torch.Size(shape).numel() for shape in tensor_shapes(config).values())
    assert count == model["parameters"], (count, model["parameters"])
    out.mkdir(parents=True, exist_ok=True)
    began = time.time()
    write_json(out / "config.json", config)
    write_json(out / "generation_config.json", model["generation"])
    write_tokenizer(out, **model["tokenizer"])
    write_weights(out, model)
    print(f"{args.name}: {count:,} parameters written in {time.time() - began:.0f} s")
    # From the first row of the vocabulary to the last, so that every part of a divided table is looked up.
    ids = torch.arange(PROMPT) * (config["vocab_size"] - 1) // (PROMPT - 1)
    logits = reference_logits(out, config, ids, torch.float32)
    exact = reference_logits(out, config, ids, torch.float64)
    path = out.resolve().parent / f"{args.name}-reference.safetensors"
    # Widest first: every tensor is then aligned.
    write_safetensors(path, {"logits_f64": exact, "logits": logits, "ids": ids.int()})
    error = ((logits - exact).abs().max() / exact.abs().max()).item()
    print(f"{path.name}: largest logit {exact.abs().max():.3f}, float32 against float64 {error:.2e} of it")


if __name__ == "__main__":
    main()
