#!/usr/bin/env python3
"""Writes expected.safetensors: what PyTorch computes in double precision for small UNets and T2I-Adapters, whose weights are a
formula of their ldm names (tests/support/named_weights.h repeats it).

    python3 make_unet.py        needs torch and numpy (made with torch 1.13.0, numpy 1.24.2)
"""
import pathlib
import sys

import numpy as np
import torch
import torch.nn.functional as F

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))
from stored import save  # noqa: E402


def draw(shape, seed):
    """Numbers in -1..1 without a pattern, F32."""
    i = np.arange(int(np.prod(shape)), dtype=np.float64)
    value = np.sin(i * 12.9898 + seed * 78.233) * 43758.5453
    return (2 * (value - np.floor(value)) - 1).astype(np.float32).reshape(shape)


def seed_of(name):
    seed = 0
    for char in name:
        seed = (seed * 31 + ord(char)) % 997
    return seed


class Weights:
    """The weight below a name: norms near 1, others of the size that keeps a signal's."""

    def __init__(self, path=""):
        self.path = path

    def __truediv__(self, name):
        return Weights(f"{self.path}.{name}" if self.path else name)

    def __call__(self, name, shape):
        full = f"{self.path}.{name}" if self.path else name
        values = torch.tensor(draw(shape, seed_of(full)).astype(np.float64))
        if name == "bias":
            return values * 0.1
        if len(shape) == 1:
            return 1 + values * 0.2
        return values * (1.4 / np.sqrt(np.prod(shape[1:])))


def linear(s, x, out, bias=True):
    return F.linear(x, s("weight", (out, x.shape[-1])), s("bias", (out,)) if bias else None)


def conv(s, x, out, kernel=3, stride=1):
    return F.conv2d(x, s("weight", (out, x.shape[1], kernel, kernel)), s("bias", (out,)), stride, kernel // 2)


def norm(s, x, groups, eps=1e-5):
    return F.group_norm(x, groups, s("weight", (x.shape[1],)), s("bias", (x.shape[1],)), eps)


def layer_norm(s, x):
    return F.layer_norm(x, x.shape[-1:], s("weight", x.shape[-1:]), s("bias", x.shape[-1:]))


def waves(t, dim):
    frequency = torch.exp(-np.log(10000) * torch.arange(dim // 2, dtype=torch.float64) / (dim // 2))
    angle = t.double()[:, None] * frequency
    return torch.cat([angle.cos(), angle.sin()], 1)


class Unet:
    def __init__(self, channels, depths, blocks, heads, context, groups, linear_projection=False, middle_depth=1, size_embedding=0, sizes=0):
        self.__dict__.update(locals())

    def res(self, s, x, emb, out):
        h = conv(s / "in_layers.2", F.silu(norm(s / "in_layers.0", x, self.groups)), out)
        h = h + linear(s / "emb_layers.1", F.silu(emb), out)[:, :, None, None]
        h = conv(s / "out_layers.3", F.silu(norm(s / "out_layers.0", h, self.groups)), out)
        return h + (conv(s / "skip_connection", x, out, 1) if x.shape[1] != out else x)

    def attention(self, s, x, source, heads):
        split = lambda y: y.view(*y.shape[:2], heads, -1).transpose(1, 2)
        q, k, v = (split(linear(s / f"to_{n}", y, x.shape[2], False)) for n, y in (("q", x), ("k", source), ("v", source)))
        y = torch.softmax(q @ k.transpose(2, 3) / np.sqrt(q.shape[3]), -1) @ v
        return linear(s / "to_out.0", y.transpose(1, 2).reshape(x.shape), x.shape[2])

    def transformer(self, s, x, context, depth, heads):
        n, c, h, w = x.shape
        y = norm(s / "norm", x, self.groups, 1e-6)
        project = lambda at, t: linear(at, t, c) if self.linear_projection else conv(at, t.transpose(1, 2).reshape(n, c, h, w), c, 1).flatten(2).transpose(1, 2)
        y = project(s / "proj_in", y.flatten(2).transpose(1, 2))
        for i in range(depth):
            b = s / f"transformer_blocks.{i}"
            own = layer_norm(b / "norm1", y)
            y = y + self.attention(b / "attn1", own, own, heads)
            y = y + self.attention(b / "attn2", layer_norm(b / "norm2", y), context, heads)
            value, gate = linear(b / "ff.net.0.proj", layer_norm(b / "norm3", y), 8 * c).chunk(2, -1)
            y = y + linear(b / "ff.net.2", value * F.gelu(gate), c)
        return project(s / "proj_out", y).transpose(1, 2).reshape(n, c, h, w) + x

    def __call__(self, x, t, context, pooled=None, ids=None, join=lambda h, skip: (h, skip)):
        s, width = Weights(), 4 * self.channels[0]
        emb = linear(s / "time_embed.2", F.silu(linear(s / "time_embed.0", waves(t, self.channels[0]), width)), width)
        if pooled is not None:
            read = torch.cat([pooled, waves(ids.flatten(), self.size_embedding).view(ids.shape[0], -1)], 1)
            emb = emb + linear(s / "label_emb.0.2", F.silu(linear(s / "label_emb.0.0", read, width)), width)
        h = conv(s / "input_blocks.0.0", x, self.channels[0])
        skips, number = [h], 1
        for level, c in enumerate(self.channels):
            for _ in range(self.blocks):
                b = s / f"input_blocks.{number}"
                h = self.res(b / "0", h, emb, c)
                if self.depths[level]:
                    h = self.transformer(b / "1", h, context, self.depths[level], self.heads[level])
                skips.append(h)
                number += 1
            if level + 1 < len(self.channels):
                h = conv(s / f"input_blocks.{number}.0.op", h, c, 3, 2)
                skips.append(h)
                number += 1
        h = self.res(s / "middle_block.0", h, emb, c)
        h = self.transformer(s / "middle_block.1", h, context, self.middle_depth, self.heads[-1])
        h = self.res(s / "middle_block.2", h, emb, c)
        number = 0
        for level in reversed(range(len(self.channels))):
            for i in range(self.blocks + 1):
                b, c = s / f"output_blocks.{number}", self.channels[level]
                h = self.res(b / "0", torch.cat(join(h, skips.pop()), 1), emb, c)
                if self.depths[level]:
                    h = self.transformer(b / "1", h, context, self.depths[level], self.heads[level])
                if level and i == self.blocks:
                    h = F.interpolate(h, size=skips[-1].shape[2:], mode="nearest")
                    h = conv(b / ("2.conv" if self.depths[level] else "1.conv"), h, c)
                number += 1
        return conv(s / "out.2", F.silu(norm(s / "out.0", h, self.groups)), 4)


def freeu(version, base, b1, b2, s1, s2):
    """The join that arXiv:2309.11497 describes."""
    def damped(x, scale):
        spectrum = torch.fft.fftshift(torch.fft.fftn(x, dim=(-2, -1)), dim=(-2, -1))
        mask = torch.ones_like(x)
        row, column = x.shape[2] // 2, x.shape[3] // 2
        mask[..., row - 1:row + 1, column - 1:column + 1] = scale
        return torch.fft.ifftn(torch.fft.ifftshift(spectrum * mask, dim=(-2, -1)), dim=(-2, -1)).real

    def join(h, skip):
        b, s = {4 * base: (b1, s1), 2 * base: (b2, s2)}.get(h.shape[1], (None, None))
        if b is None:
            return h, skip
        by = torch.tensor(float(b), dtype=h.dtype)
        if version == 2:
            mean = h.mean(1, keepdim=True)
            low, high = mean.amin((2, 3), keepdim=True), mean.amax((2, 3), keepdim=True)
            by = (b - 1) * (mean - low) / (high - low) + 1
        h = torch.cat([h[:, :h.shape[1] // 2] * by, h[:, h.shape[1] // 2:]], 1)
        return h, damped(skip, s)
    return join


def adapter(kind, picture):
    s = Weights()
    channels = [8, 16, 32, 32]
    plain = lambda at, x, k=1: conv(at / "block2", F.relu(conv(at / "block1", x, x.shape[1])), x.shape[1], k) + x
    features = []
    if kind == "light":
        x = F.pixel_unshuffle(picture, 8)
        for level, c in enumerate(channels):
            at = s / f"body.{level}"
            x = conv(at / "in_conv", F.avg_pool2d(x, 2) if level else x, c // 4, 1)
            for i in range(2):
                x = plain(at / f"body.{i}", x, 3)
            x = conv(at / "out_conv", x, c, 1)
            features.append(x)
        return features
    x = conv(s / "conv_in", F.pixel_unshuffle(picture, 16 if kind == "xl" else 8), channels[0])
    for level, c in enumerate(channels):
        if level == 2 or (level and kind != "xl"):
            x = F.avg_pool2d(x, 2)
        for i in range(2):
            at = s / f"body.{2 * level + i}"
            if x.shape[1] != c:
                x = conv(at / "in_conv", x, c, 1)
            x = plain(at, x)
        features.append(x)
    return features


def main():
    double = lambda shape, seed: torch.tensor(draw(shape, seed).astype(np.float64))
    out = {}
    # Odd sides meet the way up; two rows of different times.
    plain = Unet([16, 32, 32], [1, 1, 0], 2, [2, 4, 4], 12, 8)
    out["plain"] = plain(double((2, 4, 9, 14), 1), torch.tensor([3.0, 80.5]), double((2, 5, 12), 2))
    wide = Unet([8, 16, 32], [0, 1, 0], 1, [2, 4, 4], 12, 8)
    for version in (1, 2):
        out[f"freeu_{version}"] = wide(double((2, 4, 12, 8), 1), torch.tensor([3.0, 80.5]), double((2, 5, 12), 2), join=freeu(version, 8, 1.5, 1.6, 0.9, 0.2))
    large = Unet([16, 32], [0, 2], 1, [2, 4], 12, 8, True, 3, 6, 5)
    out["large"] = large(double((2, 4, 8, 6), 1), torch.tensor([40.0, 99.5]), double((2, 5, 12), 2), double((2, 10), 3),
                         torch.tensor([[64, 48, 0, 8, 6.0], [32, 16, 10, 0, 2.5]]))
    for kind in ("full", "xl", "light"):
        for level, map in enumerate(adapter(kind, double((1, 3, 128, 64), 5) * 0.5 + 0.5)):
            out[f"adapter_{kind}.{level}"] = map
    save(pathlib.Path(__file__).parent / "expected.safetensors", {name: value.numpy().astype(np.float32) for name, value in out.items()})


main()
