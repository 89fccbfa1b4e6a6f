#!/usr/bin/env python3
"""Times one residual and one transformer block of SD 1.5 (32 x 32, 640 channels) in Heddle and in PyTorch, in one run.

    tests/bench/compare_block.py build/bin/heddle [--rounds N]

Needs python3-torch. Rounds alternate the two programs, so that a machine that slows down slows both; quote the ratios.
PyTorch runs with maps in its own order and channels last; the faster one counts. Its matrix products go through the BLAS of
the system: with the reference one (Debian's libblas3, about 1 GFLOP/s) the transformer block takes half a minute and its
ratio says nothing. Install libopenblas0 first; the rate of a product is printed to tell.
"""
import argparse
import statistics

import torch
import torch.nn as nn
import torch.nn.functional as F

from compare_torch import heddle_rows, median_ms

CHANNELS, HEADS, CONTEXT, EMBEDDING, SIDE = 640, 8, 768, 1280, 32


class ResBlock(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm1, self.norm2 = nn.GroupNorm(32, CHANNELS), nn.GroupNorm(32, CHANNELS)
        self.conv1, self.conv2 = (nn.Conv2d(CHANNELS, CHANNELS, 3, padding=1) for _ in range(2))
        self.time = nn.Linear(EMBEDDING, CHANNELS)

    def forward(self, x, embedding):
        h = self.conv1(F.silu(self.norm1(x))) + self.time(F.silu(embedding))[:, :, None, None]
        return self.conv2(F.silu(self.norm2(h))) + x


class Attention(nn.Module):
    def __init__(self, context):
        super().__init__()
        self.q = nn.Linear(CHANNELS, CHANNELS, bias=False)
        self.k, self.v = (nn.Linear(context, CHANNELS, bias=False) for _ in range(2))
        self.out = nn.Linear(CHANNELS, CHANNELS)

    def forward(self, x, context):
        def split(t):
            b, n, c = t.shape
            return t.reshape(b, n, HEADS, c // HEADS).permute(0, 2, 1, 3).reshape(b * HEADS, n, c // HEADS)

        q, k, v = split(self.q(x)), split(self.k(context)), split(self.v(context))
        scores = torch.baddbmm(torch.empty(q.shape[0], q.shape[1], k.shape[1]), q, k.transpose(1, 2), beta=0,
                               alpha=(CHANNELS // HEADS) ** -0.5)
        y = torch.bmm(scores.softmax(-1), v)
        b, n, c = x.shape
        return self.out(y.reshape(b, HEADS, n, c // HEADS).permute(0, 2, 1, 3).reshape(b, n, c))


class TransformerBlock(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm = nn.GroupNorm(32, CHANNELS, eps=1e-6)
        self.proj_in, self.proj_out = nn.Linear(CHANNELS, CHANNELS), nn.Linear(CHANNELS, CHANNELS)
        self.norm1, self.norm2, self.norm3 = (nn.LayerNorm(CHANNELS) for _ in range(3))
        self.self_attention, self.cross_attention = Attention(CHANNELS), Attention(CONTEXT)
        self.ff_in, self.ff_out = nn.Linear(CHANNELS, 8 * CHANNELS), nn.Linear(4 * CHANNELS, CHANNELS)

    def forward(self, x, context):
        n, c, height, width = x.shape
        h = self.proj_in(self.norm(x).permute(0, 2, 3, 1).reshape(n, height * width, c))
        y = self.norm1(h)
        h = h + self.self_attention(y, y)
        h = h + self.cross_attention(self.norm2(h), context)
        value, gate = self.ff_in(self.norm3(h)).chunk(2, dim=-1)
        h = h + self.ff_out(value * F.gelu(gate))
        return x + self.proj_out(h).reshape(n, height, width, c).permute(0, 3, 1, 2)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("heddle")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--repeat", type=int, default=5)
    options = parser.parse_args()
    torch.set_num_threads(2)
    residual, transformer = ResBlock().eval(), TransformerBlock().eval()
    embedding, context = torch.randn(1, EMBEDDING), torch.randn(1, 77, CONTEXT)
    square = torch.randn(512, 512)
    rate = 2e-6 * 512 ** 3 / median_ms(lambda: square @ square, 3)
    print(f"PyTorch's matrix product: {rate:.1f} GFLOP/s" + (" (a reference BLAS: see --help)" if rate < 10 else ""), flush=True)
    results = {}
    for _ in range(options.rounds):
        ours = {row["name"]: row["median_ms"] for row in heddle_rows(options.heddle, "block", "--repeat", str(options.repeat))}
        theirs = {name: [] for name in ours}
        for order in (torch.contiguous_format, torch.channels_last):
            x = torch.randn(1, CHANNELS, SIDE, SIDE).contiguous(memory_format=order)
            residual.to(memory_format=order)
            theirs["resnet block"].append(median_ms(lambda: residual(x, embedding), options.repeat))
            theirs["transformer block"].append(median_ms(lambda: transformer(x, context), options.repeat))
            theirs["both blocks"].append(median_ms(lambda: transformer(residual(x, embedding), context), options.repeat))
        for name, ms in ours.items():
            results.setdefault(name, []).append((ms, min(theirs[name])))
    print(f"{'':20} {'heddle ms':>10} {'torch ms':>10} {'torch/heddle':>13}")
    for name, pairs in results.items():
        ours, theirs = (statistics.median(side) for side in zip(*pairs))
        print(f"{name:20} {ours:10.2f} {theirs:10.2f} {statistics.median(b / a for a, b in pairs):13.2f}")


if __name__ == "__main__":
    main()
