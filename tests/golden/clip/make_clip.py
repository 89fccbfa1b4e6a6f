#!/usr/bin/env python3
"""Writes small text and vision towers of CLIP: random weights, and what PyTorch computes from them in double precision.

    python3 make_clip.py        needs torch and numpy (made with torch 1.13.1, numpy 1.24.2)

The towers are built from PyTorch's own transformer layers, with OpenCLIP's names; Hugging Face's names are given to one of them.

merges.txt          a tokenizer of nine merges, 523 tokens (kept by hand)
sd1.safetensors     cond_stage_model.transformer.text_model.*: width 8, one head, quick GELU
sdxl.safetensors    the same as conditioner.embedders.0.*, and conditioner.embedders.1.model.*: width 12, one head, GELU, projected to 10
vision.safetensors  visual.*: width 8, two heads, GELU, 4 x 4 patches of 4 pixels, projected to 6
expected.safetensors   ids (as F32), and each tower's states
"""
import pathlib
import sys

import numpy as np
import torch
import torch.nn as nn

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE.parent))
from stored import save  # noqa: E402

VOCABULARY = 2 * 256 + 9 + 2
START, END = VOCABULARY - 2, VOCABULARY - 1


class QuickGelu(nn.Module):
    def forward(self, x):
        return x * torch.sigmoid(1.702 * x)


class Block(nn.Module):
    def __init__(self, width, heads, gelu):
        super().__init__()
        self.ln_1, self.ln_2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attn = nn.MultiheadAttention(width, heads, batch_first=True)
        self.mlp = nn.ModuleDict({"c_fc": nn.Linear(width, 4 * width), "gelu": gelu, "c_proj": nn.Linear(4 * width, width)})

    def forward(self, x, mask):
        h = self.ln_1(x)
        x = x + self.attn(h, h, h, need_weights=False, attn_mask=mask)[0]
        return x + self.mlp["c_proj"](self.mlp["gelu"](self.mlp["c_fc"](self.ln_2(x))))


class Transformer(nn.Module):
    def __init__(self, width, heads, layers, gelu):
        super().__init__()
        self.resblocks = nn.ModuleList([Block(width, heads, gelu) for _ in range(layers)])


class Text(nn.Module):
    def __init__(self, width, heads, layers, gelu, projection):
        super().__init__()
        self.token_embedding = nn.Embedding(VOCABULARY, width)
        self.positional_embedding = nn.Parameter(torch.randn(77, width))
        self.transformer = Transformer(width, heads, layers, gelu)
        self.ln_final = nn.LayerNorm(width)
        if projection:
            self.text_projection = nn.Parameter(torch.randn(width, projection))

    def states(self, ids):
        x = self.token_embedding(ids) + self.positional_embedding
        states = [x]
        mask = torch.full((77, 77), -torch.inf, dtype=x.dtype).triu(1)
        for block in self.transformer.resblocks:
            states.append(block(states[-1], mask))
        return states


class Vision(nn.Module):
    def __init__(self, width, heads, layers, gelu, patch, grid, projection):
        super().__init__()
        self.class_embedding = nn.Parameter(torch.randn(width))
        self.positional_embedding = nn.Parameter(torch.randn(grid * grid + 1, width))
        self.conv1 = nn.Conv2d(3, width, patch, patch, bias=False)
        self.ln_pre, self.ln_post = nn.LayerNorm(width), nn.LayerNorm(width)
        self.transformer = Transformer(width, heads, layers, gelu)
        self.proj = nn.Parameter(torch.randn(width, projection))

    def states(self, x):
        x = self.conv1(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.class_embedding.expand(len(x), 1, -1), x], 1) + self.positional_embedding
        states = [self.ln_pre(x)]
        for block in self.transformer.resblocks:
            states.append(block(states[-1], None))
        return states


def random(module):
    """Weights that are far from their starts, so that a missing norm or bias shows; rounded as files hold them."""
    for parameter in module.parameters():
        drawn = torch.randn(parameter.shape) * (0.4 if parameter.ndim > 1 else 0.2)
        parameter.data = (drawn + (1 if parameter.ndim == 1 else 0)).float().double()
    return module.double()


def weights(module, prefix=""):
    return {prefix + name: p.detach().float().numpy() for name, p in module.named_parameters()}


def hugging_face(named):
    out = {}
    for name, value in named.items():
        for old, new in [("token_embedding.", "embeddings.token_embedding."), ("positional_embedding", "embeddings.position_embedding.weight"),
                         ("ln_final.", "final_layer_norm."), ("transformer.resblocks.", "encoder.layers."), ("ln_1.", "layer_norm1."),
                         ("ln_2.", "layer_norm2."), ("mlp.c_fc.", "mlp.fc1."), ("mlp.c_proj.", "mlp.fc2."), ("attn.out_proj.", "self_attn.out_proj.")]:
            name = name.replace(old, new)
        if "attn.in_proj_" in name:
            base, kind = name.split("attn.in_proj_")
            for part, third in zip("qkv", np.split(value, 3)):
                out[f"text_model.{base}self_attn.{part}_proj.{kind}"] = third
        else:
            out["text_model." + name] = value
    return out


def main():
    torch.manual_seed(11)
    small = random(Text(8, 1, 3, QuickGelu(), 0))
    large = random(Text(12, 1, 4, nn.GELU(), 10))
    vision = random(Vision(8, 2, 3, nn.GELU(), 4, 4, 6))
    named = hugging_face(weights(small))
    save(HERE / "sd1.safetensors", {"cond_stage_model.transformer." + k: v for k, v in named.items()})
    save(HERE / "sdxl.safetensors", {**{"conditioner.embedders.0.transformer." + k: v for k, v in named.items()},
                                     **weights(large, "conditioner.embedders.1.model.")})
    save(HERE / "vision.safetensors", weights(vision, "visual."))

    words = [START, 513, 515, 518, END]                             # "the cat dog"
    ids = {"padded_end": words + [END] * 72, "padded_zero": words + [0] * 72}
    expected = {}
    for name, row in ids.items():
        expected["ids." + name] = np.array([row], np.float32)
    with torch.no_grad():
        states = small.states(torch.tensor([ids["padded_end"]]))
        expected["small.last"], expected["small.penultimate"] = small.ln_final(states[-1]), states[-2]
        expected["small.skipped"] = small.ln_final(states[-2])
        expected["small.pooled"] = expected["small.last"][:, 4]
        states = large.states(torch.tensor([ids["padded_zero"]]))
        expected["large.penultimate"] = states[-2]
        expected["large.last"] = large.ln_final(states[-1])
        expected["large.projected"] = expected["large.last"][:, 4] @ large.text_projection
        picture = torch.sin(torch.arange(2 * 3 * 16 * 16).double() * 0.37).reshape(2, 3, 16, 16).float().double()
        states = vision.states(picture)
        expected["vision.picture"] = picture
        expected["vision.penultimate"] = states[-2]
        expected["vision.projected"] = vision.ln_post(states[-1][:, 0]) @ vision.proj
    save(HERE / "expected.safetensors", {k: np.asarray(v, np.float32) for k, v in expected.items()})


main()
