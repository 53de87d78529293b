"""Checkpoints in the hub's layout, written and read one tensor at a time, for make.py and gradients.py.

A model of 1.2 billion parameters passes through with no more than its largest tensor, widened, in memory.
"""
import json
import math
import struct
import sys
import zlib
from pathlib import Path

import numpy as np
import torch

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
MODELS = json.loads((HERE / "models.json").read_text())

sys.path.insert(0, str(ROOT.parent / "shared" / "reference"))
from reference_model import Decoder, write_safetensors  # noqa: E402,F401

# The reference computes in float64 unless told otherwise.
torch.set_default_dtype(torch.float32)


def decoder_config(config):
    """The configuration as the reference decoder wants it: with head_dim, which some files leave to be worked out."""
    return {"head_dim": config["hidden_size"] // config["num_attention_heads"], **config}


def tensor_shapes(config):
    """Name and shape of every tensor, in the order of computation."""
    c = decoder_config(config)
    E, F, V, D = c["hidden_size"], c["intermediate_size"], c["vocab_size"], c["head_dim"]
    Q, K = c["num_attention_heads"] * D, c["num_key_value_heads"] * D
    shapes = {"model.embed_tokens.weight": (V, E)}
    for layer in range(c["num_hidden_layers"]):
        n = f"model.layers.{layer}."
        shapes[n + "input_layernorm.weight"] = (E,)
        for name, rows in (("q_proj", Q), ("k_proj", K), ("v_proj", K)):
            shapes[n + f"self_attn.{name}.weight"] = (rows, E)
            if c["model_type"] == "qwen2":
                shapes[n + f"self_attn.{name}.bias"] = (rows,)
        if c["model_type"] == "qwen3":
            shapes[n + "self_attn.q_norm.weight"] = shapes[n + "self_attn.k_norm.weight"] = (D,)
        shapes[n + "self_attn.o_proj.weight"] = (E, Q)
        shapes[n + "post_attention_layernorm.weight"] = (E,)
        shapes[n + "mlp.gate_proj.weight"] = shapes[n + "mlp.up_proj.weight"] = (F, E)
        shapes[n + "mlp.down_proj.weight"] = (E, F)
    shapes["model.norm.weight"] = (E,)
    if not c["tie_word_embeddings"]:
        shapes["lm_head.weight"] = (V, E)
    return shapes


def random_tensor(name, shape, seed):
    """One tensor in bf16, by the rules of the reference's init_params; its own seed, so that order does not matter."""
    generator = torch.Generator().manual_seed(seed * 2**32 + zlib.crc32(name.encode()))
    w = torch.randn(shape, generator=generator)
    if name.endswith("norm.weight"):
        w.mul_(0.1).add_(1)
    elif name.endswith("bias"):
        w.mul_(0.1)
    elif "embed" in name or "lm_head" in name:
        w.mul_(1.5 / math.sqrt(shape[1]))
    else:
        w.mul_(1 / math.sqrt(shape[1]))
    return w.bfloat16()


def write_bf16(path, shapes, tensor):
    """Writes a safetensors file; `tensor(name)` is asked for one tensor after another. Returns the bytes of tensors."""
    header, end = {"__metadata__": {"format": "pt"}}, 0
    for name, shape in shapes.items():
        start, end = end, end + 2 * math.prod(shape)
        header[name] = {"dtype": "BF16", "shape": list(shape), "data_offsets": [start, end]}
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for name in shapes:
            tensor(name).view(torch.int16).numpy().tofile(file)
    return end


def read_header(path):
    """Entries of a safetensors file by name, and where its data begin."""
    with open(path, "rb") as file:
        length = struct.unpack("<Q", file.read(8))[0]
        header = json.loads(file.read(length))
    header.pop("__metadata__", None)
    return header, 8 + length


def read_safetensors(path):
    """A small file of results, whole."""
    kinds = {"F32": np.float32, "F64": np.float64, "I32": np.int32}
    header, start = read_header(path)
    block = np.fromfile(path, np.uint8, offset=start)
    part = lambda entry: block[slice(*entry["data_offsets"])].view(kinds[entry["dtype"]]).reshape(entry["shape"])
    return {name: torch.from_numpy(part(entry).copy()) for name, entry in header.items()}


class Weights:
    """A checkpoint folder as the mapping that the reference decoder reads: each tensor is widened when asked for."""

    def __init__(self, folder, dtype=torch.float32):
        self.dtype, self.places = dtype, {}
        for path in sorted(Path(folder).glob("*.safetensors")):
            header, start = read_header(path)
            bits = np.memmap(path, np.uint8, "r")
            for name, entry in header.items():
                assert entry["dtype"] == "BF16", (name, entry)
                self.places[name] = (bits, start, entry)

    def __contains__(self, name):
        return name in self.places

    def __getitem__(self, name):
        bits, start, entry = self.places[name]
        first, last = entry["data_offsets"]
        halves = bits[start + first : start + last].view(np.uint16).astype(np.uint32)
        halves <<= 16
        return torch.from_numpy(halves.view(np.float32)).reshape(entry["shape"]).to(self.dtype)

    def get(self, name, otherwise):
        return self[name] if name in self else otherwise
