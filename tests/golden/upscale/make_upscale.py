#!/usr/bin/env python3
"""Writes the upscalers of this folder: random weights in each published layout, and what PyTorch computes from them in double precision.

    python3 make_upscale.py        needs torch (made with torch 1.13.1)

real.safetensors        Real-ESRGAN's layout, 2x: the picture's pixels go in as blocks of 2 x 2; F16
paper.safetensors       the layout of ESRGAN's paper, 4x; F16
numbered.safetensors    the layout of most files that people trained, 2x; F16
clean.safetensors       the same, 1x: nothing is enlarged; F16
compact.safetensors     Real-ESRGAN's compact network, 4x; F16
averaged.pth            a training's file: compact.safetensors' weights under "params_ema", others under "params"
expected.safetensors    image [1, 3, 7, 9], and what each network makes of it
"""
import json
import pathlib
import struct

import torch
import torch.nn as nn
import torch.nn.functional as F


def conv(a, b):
    return nn.Conv2d(a, b, 3, padding=1)


def slope(x):
    return F.leaky_relu(x, 0.2)


class Dense(nn.Module):
    def __init__(self, width, growth):
        super().__init__()
        for k in range(5):
            setattr(self, f"conv{k + 1}", conv(width + k * growth, growth if k < 4 else width))

    def forward(self, x):
        seen = [x]
        for k in range(4):
            seen.append(slope(getattr(self, f"conv{k + 1}")(torch.cat(seen, 1))))
        return self.conv5(torch.cat(seen, 1)) * 0.2 + x


class Block(nn.Module):
    def __init__(self, width, growth):
        super().__init__()
        self.rdb1, self.rdb2, self.rdb3 = Dense(width, growth), Dense(width, growth), Dense(width, growth)

    def forward(self, x):
        return self.rdb3(self.rdb2(self.rdb1(x))) * 0.2 + x


class Rrdb(nn.Module):
    def __init__(self, width, growth, blocks, ups, unshuffle=1):
        super().__init__()
        self.unshuffle, self.ups = unshuffle, ups
        self.conv_first = conv(3 * unshuffle ** 2, width)
        self.body = nn.Sequential(*[Block(width, growth) for _ in range(blocks)])
        self.conv_body = conv(width, width)
        for k in range(ups):
            setattr(self, f"conv_up{k + 1}", conv(width, width))
        self.conv_hr, self.conv_last = conv(width, width), conv(width, 3)

    def forward(self, x):
        h, w, cell = x.shape[2], x.shape[3], self.unshuffle
        scale = 2 ** self.ups // cell
        x = F.pad(x, (0, -w % cell, 0, -h % cell), mode="replicate")
        x = self.conv_first(F.pixel_unshuffle(x, cell))
        x = x + self.conv_body(self.body(x))
        for k in range(self.ups):
            x = slope(getattr(self, f"conv_up{k + 1}")(F.interpolate(x, scale_factor=2, mode="nearest")))
        return self.conv_last(slope(self.conv_hr(x)))[:, :, :h * scale, :w * scale]


class Compact(nn.Module):
    def __init__(self, width, convs, scale):
        super().__init__()
        layers = [conv(3, width), nn.PReLU(width)]
        for _ in range(convs):
            layers += [conv(width, width), nn.PReLU(width)]
        self.body, self.scale = nn.Sequential(*layers, conv(width, 3 * scale ** 2)), scale

    def forward(self, x):
        return F.pixel_shuffle(self.body(x), self.scale) + F.interpolate(x, scale_factor=self.scale, mode="nearest")


def rounded(module):
    """Weights that F16 holds exactly, and large enough that every layer tells in the result."""
    module = module.double()
    for name, parameter in module.named_parameters():
        if parameter.dim() == 1 and name.startswith("body.") and name.endswith("weight"):
            parameter.data.uniform_(0.05, 0.5)
        parameter.data.copy_((parameter.data * 1.5).half().double())
    return module


def paper(name):
    for a, b in (("conv_up", "upconv"), ("conv_body.", "trunk_conv."), ("conv_hr.", "HRconv."), ("body.", "RRDB_trunk."), (".rdb", ".RDB")):
        name = name.replace(a, b)
    return name


def numbered(name, blocks, ups):
    part, rest = name.split(".", 1)
    if part == "body":
        block, dense, layer, kind = rest.split(".")
        return f"model.1.sub.{block}.{dense.upper()}.{layer}.0.{kind}"
    at = {"conv_first": "0", "conv_body": f"1.sub.{blocks}", "conv_hr": str(3 * ups + 2), "conv_last": str(3 * ups + 4)}
    at.update({f"conv_up{k}": str(3 * k) for k in range(1, ups + 1)})
    return f"model.{at[part]}.{rest}"


def save(path, tensors, dtype):
    header, data = {}, b""
    for name, tensor in sorted(tensors.items()):
        raw = (tensor.detach().half() if dtype == "F16" else tensor.detach().float()).numpy().tobytes()
        header[name] = {"dtype": dtype, "shape": list(tensor.shape), "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


def main():
    torch.manual_seed(23)
    here = pathlib.Path(__file__).parent
    image = torch.rand(1, 3, 7, 9)
    expected = {"image": image}
    real = rounded(Rrdb(4, 2, 2, 2, unshuffle=2))
    networks = {"real": (real, lambda name: name), "paper": (rounded(Rrdb(4, 2, 2, 2)), paper),
                "numbered": (rounded(Rrdb(4, 2, 3, 1)), lambda name: numbered(name, 3, 1)),
                "clean": (rounded(Rrdb(4, 2, 1, 0)), lambda name: numbered(name, 1, 0)), "compact": (rounded(Compact(6, 3, 4)), lambda name: name)}
    for label, (network, rename) in networks.items():
        save(here / f"{label}.safetensors", {rename(k): v for k, v in network.state_dict().items()}, "F16")
        expected[label] = network(image.double())
        print(label, tuple(expected[label].shape), "deviation", float(expected[label].std()))
    half = {k: v.half() for k, v in networks["compact"][0].state_dict().items()}
    torch.save({"params": {k: v * 0 for k, v in half.items()}, "params_ema": half}, here / "averaged.pth")
    save(here / "expected.safetensors", expected, "F32")


main()
