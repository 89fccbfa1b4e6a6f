#!/usr/bin/env python3
"""Writes the autoencoders of this folder: random weights, and what PyTorch computes from them in double precision.

    python3 make_vae.py        needs torch and numpy (made with torch 1.13.1, numpy 1.24.2)

kl.safetensors         widths 8, 16, 16, two ResBlocks, 4 latent channels; ldm's names below first_stage_model., and tensors around them
vq.safetensors         widths 8, 16, one ResBlock, attention in the lowest level, 12 codes of 3 channels, features of 5; diffusers' names
                       before 0.17 (query, key, value, proj_attn)
expected.safetensors   image in -1..1, latent; kl.mean, kl.logvar, kl.decoded; vq.latent, vq.indices, vq.decoded
All weights are F16, all norms have 8 groups (the largest divisor of 32 and of all widths) and eps 1e-6.
"""
import json
import math
import pathlib
import struct

import numpy as np
import torch
import torch.nn.functional as F

GROUPS = 8


class Net:
    """Functions of x that draw a weight when it is first asked for, under ldm's name."""

    def __init__(self):
        self.weights = {}

    def weight(self, name, *shape):
        if name not in self.weights:
            fan_in = math.prod(shape[1:]) if len(shape) > 1 else 0
            drawn = torch.randn(*shape) * (1.0 / math.sqrt(fan_in) if fan_in else 0.1)
            if ".norm" in name and name.endswith("weight"):
                drawn = drawn + 1
            self.weights[name] = drawn.half()
        return self.weights[name].double()

    def conv(self, name, x, out, kernel=3, stride=1, pad=1):
        return F.conv2d(x, self.weight(name + ".weight", out, x.shape[1], kernel, kernel), self.weight(name + ".bias", out), stride, pad)

    def norm(self, name, x):
        c = x.shape[1]
        return F.group_norm(x, GROUPS, self.weight(name + ".weight", c), self.weight(name + ".bias", c), 1e-6)

    def block(self, name, x, out):
        h = self.conv(name + ".conv1", F.silu(self.norm(name + ".norm1", x)), out)
        h = self.conv(name + ".conv2", F.silu(self.norm(name + ".norm2", h)), out)
        return (x if x.shape[1] == out else self.conv(name + ".nin_shortcut", x, out, 1, 1, 0)) + h

    def attend(self, name, x):
        n, c, height, width = x.shape
        h = self.norm(name + ".norm", x)
        q, k, v = (self.conv(f"{name}.{part}", h, c, 1, 1, 0).reshape(n, c, -1) for part in "qkv")
        scores = torch.softmax(torch.einsum("ncq,nck->nqk", q, k) / math.sqrt(c), -1)
        mixed = torch.einsum("nqk,nck->ncq", scores, v).reshape(n, c, height, width)
        return x + self.conv(name + ".proj_out", mixed, c, 1, 1, 0)

    def middle(self, name, x):
        h = self.block(name + ".block_1", x, x.shape[1])
        return self.block(name + ".block_2", self.attend(name + ".attn_1", h), x.shape[1])

    def encode(self, x, widths, blocks, out, attending=()):
        h = self.conv("encoder.conv_in", x, widths[0])
        for i, width in enumerate(widths):
            for j in range(blocks):
                h = self.block(f"encoder.down.{i}.block.{j}", h, width)
                if i in attending:
                    h = self.attend(f"encoder.down.{i}.attn.{j}", h)
            if i + 1 < len(widths):
                h = self.conv(f"encoder.down.{i}.downsample.conv", F.pad(h, (0, 1, 0, 1)), width, 3, 2, 0)
        h = self.middle("encoder.mid", h)
        return self.conv("encoder.conv_out", F.silu(self.norm("encoder.norm_out", h)), out)

    def decode(self, z, widths, blocks, attending=()):
        h = self.middle("decoder.mid", self.conv("decoder.conv_in", z, widths[-1]))
        for i in reversed(range(len(widths))):
            for j in range(blocks + 1):
                h = self.block(f"decoder.up.{i}.block.{j}", h, widths[i])
                if i in attending:
                    h = self.attend(f"decoder.up.{i}.attn.{j}", h)
            if i:
                h = self.conv(f"decoder.up.{i}.upsample.conv", F.interpolate(h, scale_factor=2.0, mode="nearest"), widths[i])
        return self.conv("decoder.conv_out", F.silu(self.norm("decoder.norm_out", h)), 3)


def diffusers_name(name, levels):
    words = name.split(".")
    layers = {"nin_shortcut": "conv_shortcut", "norm_out": "conv_norm_out"}
    if "attn" in name:
        layers = {"norm": "group_norm", "q": "query", "k": "key", "v": "value", "proj_out": "proj_attn"}
    words = [layers.get(word, word) for word in words]
    text = ".".join(words)
    for i in range(levels):
        text = text.replace(f"encoder.down.{i}.", f"encoder.down_blocks.{i}.").replace(f"decoder.up.{i}.", f"decoder.up_blocks.{levels - 1 - i}.")
    for ldm, other in ((".block.", ".resnets."), (".attn.", ".attentions."), (".downsample.", ".downsamplers.0."), (".upsample.", ".upsamplers.0."),
                       (".mid.block_1.", ".mid_block.resnets.0."), (".mid.attn_1.", ".mid_block.attentions.0."),
                       (".mid.block_2.", ".mid_block.resnets.1.")):
        text = text.replace(ldm, other)
    return text


def save(path, tensors):
    types = {torch.float16: "F16", torch.float32: "F32"}
    header, data = {}, b""
    for name in sorted(tensors, key=lambda n: (-tensors[n].element_size(), n)):
        raw = tensors[name].detach().contiguous().numpy().tobytes()
        header[name] = {"dtype": types[tensors[name].dtype], "shape": list(tensors[name].shape), "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


def main():
    torch.manual_seed(4)
    here = pathlib.Path(__file__).parent
    image, latent = torch.rand(2, 3, 16, 24) * 2 - 1, torch.randn(1, 4, 5, 3)
    expected = {"image": image, "latent": latent}

    net = Net()
    h = net.encode(image.double(), (8, 16, 16), 2, 8)
    mean, logvar = net.conv("quant_conv", h, 8, 1, 1, 0).chunk(2, 1)
    decoded = net.decode(net.conv("post_quant_conv", latent.double(), 4, 1, 1, 0), (8, 16, 16), 2)
    expected.update({"kl.mean": mean, "kl.logvar": logvar.clamp(-30, 20), "kl.decoded": decoded})
    names = {"first_stage_model." + name: value for name, value in net.weights.items()}
    names["betas"] = torch.rand(4)
    names["model_ema.decay"] = torch.rand(1)
    names["first_stage_model.loss.logvar"] = torch.rand(1)
    save(here / "kl.safetensors", names)

    net = Net()
    z = net.conv("quant_conv", net.encode(image.double(), (8, 16), 1, 5, (1,)), 3, 1, 1, 0)
    codes = net.weight("quantize.embedding.weight", 12, 3)
    rows = z.permute(0, 2, 3, 1)
    indices = ((rows.unsqueeze(-2) - codes) ** 2).sum(-1).argmin(-1)
    picked = codes[indices].permute(0, 3, 1, 2)
    decoded = net.decode(net.conv("post_quant_conv", picked, 5, 1, 1, 0), (8, 16), 1, (1,))
    expected.update({"vq.latent": z, "vq.indices": indices, "vq.decoded": decoded})
    names = {}
    for name, value in net.weights.items():
        flat = "attn" in name and value.dim() == 4
        names[diffusers_name(name, 2)] = value.flatten(1) if flat else value
    save(here / "vq.safetensors", names)

    save(here / "expected.safetensors", {name: value.float() for name, value in expected.items()})
    for name, value in expected.items():
        print(name, tuple(value.shape), "deviation", float(value.double().std()))
    print("codes used", len(np.unique(indices.numpy())))


main()
