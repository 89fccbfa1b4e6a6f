#!/usr/bin/env python3
"""Writes the tiny autoencoders of this folder: random weights, and what PyTorch computes from them in double precision.

    python3 make_taesd.py        needs torch and numpy (made with torch 1.13.1, numpy 1.24.2)

plain.safetensors            4 latent channels, diffusers' layout, F16, both halves
pooled_{encoder,decoder}.safetensors   6 latent channels, pooled variant, the original layout, BF16
expected.safetensors         image, and for each of the two: latent and decoded (in the original's range 0..1, not clamped)
"""
import json
import pathlib
import struct

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

WIDTH = 4


class Block(nn.Module):
    def __init__(self, width, pooled=False):
        super().__init__()
        conv = lambda: nn.Conv2d(width, width, 3, padding=1)
        self.conv = nn.Sequential(conv(), nn.ReLU(), conv(), nn.ReLU(), conv())
        self.pool = None
        if pooled:
            self.pool = nn.Sequential(nn.Conv2d(width, 4 * width, 1, bias=False), nn.GroupNorm(4, 4 * width), nn.ReLU(),
                                      nn.Conv2d(4 * width, width, 1, bias=False))

    def forward(self, x):
        if self.pool is not None:
            x = x + self.pool(x)
        return F.relu(self.conv(x) + x)


class Clamp(nn.Module):
    def forward(self, x):
        return torch.tanh(x / 3) * 3


def encoder(channels, pooled):
    w = WIDTH
    conv = lambda a, b, **k: nn.Conv2d(a, b, 3, padding=1, **k)
    down = lambda p=False: [conv(w, w, stride=2, bias=False)] + [Block(w, p) for _ in range(3)]
    return nn.Sequential(conv(3, w), Block(w), *down(), *down(), *down(pooled), conv(w, channels))


def decoder(channels, pooled):
    w = WIDTH
    conv = lambda a, b, **k: nn.Conv2d(a, b, 3, padding=1, **k)
    up = lambda p=False: [Block(w, p) for _ in range(3)] + [nn.Upsample(scale_factor=2), conv(w, w, bias=False)]
    return nn.Sequential(Clamp(), conv(channels, w), nn.ReLU(), *up(pooled), *up(), *up(), Block(w), conv(w, 3))


def stored(tensor, dtype):
    """Bytes as stored, and the value that they stand for."""
    if dtype == "F16":
        half = tensor.detach().half()
        return half.numpy().tobytes(), half.double()
    if dtype == "BF16":
        half = tensor.detach().bfloat16()
        return half.view(torch.int16).numpy().tobytes(), half.double()
    return tensor.detach().float().numpy().tobytes(), tensor


def save(path, tensors, dtype):
    header, data = {}, b""
    for name, tensor in sorted(tensors.items()):
        raw, _ = stored(tensor, dtype)
        header[name] = {"dtype": dtype, "shape": list(tensor.shape), "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


def rounded(module, dtype):
    module = module.double()
    for parameter in module.parameters():
        parameter.data.mul_(1.6)        # keeps the signal alive through thirty layers
        parameter.data.copy_(stored(parameter.data, dtype)[1])
    return module


def main():
    torch.manual_seed(20)
    here = pathlib.Path(__file__).parent
    image = torch.rand(2, 3, 16, 24)
    expected = {"image": image}

    enc, dec = rounded(encoder(4, False), "F16"), rounded(decoder(4, False), "F16")
    names = {"encoder.layers." + k: v for k, v in enc.state_dict().items()}
    for key, value in dec.state_dict().items():
        at, rest = key.split(".", 1)
        names[f"decoder.layers.{int(at) - 1}.{rest}"] = value
    save(here / "plain.safetensors", names, "F16")
    expected["plain.latent"] = enc(image.double())
    expected["plain.decoded"] = dec(expected["plain.latent"])

    enc, dec = rounded(encoder(6, True), "BF16"), rounded(decoder(6, True), "BF16")
    save(here / "pooled_encoder.safetensors", enc.state_dict(), "BF16")
    save(here / "pooled_decoder.safetensors", dec.state_dict(), "BF16")
    expected["pooled.latent"] = enc(image.double())
    expected["pooled.decoded"] = dec(expected["pooled.latent"])

    save(here / "expected.safetensors", expected, "F32")
    for name, value in expected.items():
        print(name, tuple(value.shape), "deviation", float(value.std()))


main()
