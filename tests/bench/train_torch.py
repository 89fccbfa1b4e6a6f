#!/usr/bin/env python3
"""Training speed of a small UNet: `heddle bench train` beside PyTorch with the same network, in turns, medians.

    tests/bench/train_torch.py build/bin/heddle [--batch 32] [--rounds 3] [--steps 5]

Forward, backward, clipping, AdamW and an average of the weights; 64/128/192 channels on 16 x 16 latents, text of 32 tokens.
Needs python3-torch.
"""
import argparse
import copy
import json
import math
import statistics
import subprocess
import time

import torch
import torch.nn as nn
import torch.nn.functional as F

GROUPS, HEADS, CONTEXT, CHANNELS, ATTENDS = 32, 4, 192, (64, 128, 192), (False, True, True)


class ResBlock(nn.Module):
    def __init__(self, inputs, outputs, time_width):
        super().__init__()
        self.norm1, self.norm2 = nn.GroupNorm(GROUPS, inputs), nn.GroupNorm(GROUPS, outputs)
        self.conv1, self.conv2 = nn.Conv2d(inputs, outputs, 3, padding=1), nn.Conv2d(outputs, outputs, 3, padding=1)
        self.time = nn.Linear(time_width, outputs)
        self.shortcut = nn.Conv2d(inputs, outputs, 1) if inputs != outputs else nn.Identity()

    def forward(self, x, embedding):
        h = self.conv1(F.silu(self.norm1(x))) + self.time(F.silu(embedding))[:, :, None, None]
        return self.shortcut(x) + self.conv2(F.silu(self.norm2(h)))


class Attention(nn.Module):
    def __init__(self, width, context):
        super().__init__()
        self.q = nn.Linear(width, width, bias=False)
        self.k, self.v = nn.Linear(context, width, bias=False), nn.Linear(context, width, bias=False)
        self.out = nn.Linear(width, width)

    def forward(self, x, context):
        split = lambda t: t.reshape(t.shape[0], t.shape[1], HEADS, -1).transpose(1, 2)
        q, k, v = split(self.q(x)), split(self.k(context)), split(self.v(context))
        weights = torch.softmax(q @ k.transpose(2, 3) / math.sqrt(q.shape[3]), -1)
        return self.out((weights @ v).transpose(1, 2).reshape(x.shape))


class Transformer(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.norm = nn.GroupNorm(GROUPS, channels, eps=1e-6)
        self.proj_in, self.proj_out = nn.Conv2d(channels, channels, 1), nn.Conv2d(channels, channels, 1)
        self.norm1, self.norm2, self.norm3 = (nn.LayerNorm(channels) for _ in range(3))
        self.self_attention, self.cross = Attention(channels, channels), Attention(channels, CONTEXT)
        self.gate, self.project = nn.Linear(channels, 8 * channels), nn.Linear(4 * channels, channels)

    def forward(self, x, context):
        n, c, h, w = x.shape
        t = self.proj_in(self.norm(x)).permute(0, 2, 3, 1).reshape(n, h * w, c)
        first = self.norm1(t)
        t = t + self.self_attention(first, first)
        t = t + self.cross(self.norm2(t), context)
        a, b = self.gate(self.norm3(t)).chunk(2, -1)
        t = t + self.project(a * F.gelu(b))
        return self.proj_out(t.reshape(n, h, w, c).permute(0, 3, 1, 2)) + x


class Unet(nn.Module):
    def __init__(self):
        super().__init__()
        time_width, width, kept = 4 * CHANNELS[0], CHANNELS[0], [CHANNELS[0]]
        self.first, self.second = nn.Linear(CHANNELS[0], time_width), nn.Linear(time_width, time_width)
        self.conv_in = nn.Conv2d(4, width, 3, padding=1)
        self.down, self.up = nn.ModuleList(), nn.ModuleList()
        for level, channels in enumerate(CHANNELS):
            block = nn.ModuleDict({"res": ResBlock(width, channels, time_width)})
            width = channels
            kept.append(width)
            if ATTENDS[level]:
                block["attend"] = Transformer(width)
            if level + 1 < len(CHANNELS):
                block["down"] = nn.Conv2d(width, width, 3, stride=2, padding=1)
                kept.append(width)
            self.down.append(block)
        self.middle1, self.middle, self.middle2 = ResBlock(width, width, time_width), Transformer(width), ResBlock(width, width, time_width)
        for level in reversed(range(len(CHANNELS))):
            for i in range(2):
                block = nn.ModuleDict({"res": ResBlock(width + kept.pop(), CHANNELS[level], time_width)})
                width = CHANNELS[level]
                if ATTENDS[level]:
                    block["attend"] = Transformer(width)
                if i == 1 and level > 0:
                    block["up"] = nn.Conv2d(width, width, 3, padding=1)
                self.up.append(block)
        self.norm_out, self.conv_out = nn.GroupNorm(GROUPS, width), nn.Conv2d(width, 4, 3, padding=1)

    def forward(self, x, times, context):
        half = CHANNELS[0] // 2
        angle = times[:, None] * torch.exp(torch.arange(half) * (-math.log(10000) / half))[None]
        embedding = self.second(F.silu(self.first(torch.cat([angle.cos(), angle.sin()], 1))))
        h = self.conv_in(x)
        kept = [h]
        for block in self.down:
            h = block["res"](h, embedding)
            h = block["attend"](h, context) if "attend" in block else h
            kept.append(h)
            if "down" in block:
                h = block["down"](h)
                kept.append(h)
        h = self.middle2(self.middle(self.middle1(h, embedding), context), embedding)
        for block in self.up:
            h = block["res"](torch.cat([h, kept.pop()], 1), embedding)
            h = block["attend"](h, context) if "attend" in block else h
            h = block["up"](F.interpolate(h, scale_factor=2)) if "up" in block else h
        return self.conv_out(F.silu(self.norm_out(h)))


class TorchTrainer:
    def __init__(self, batch, channels_last):
        torch.manual_seed(1)
        self.net = Unet()
        if channels_last:
            self.net = self.net.to(memory_format=torch.channels_last)
        self.average = copy.deepcopy(self.net)
        self.optimiser = torch.optim.AdamW(self.net.parameters(), lr=1e-4)
        memory = torch.channels_last if channels_last else torch.contiguous_format
        self.x, self.y = (torch.randn(batch, 4, 16, 16).contiguous(memory_format=memory) for _ in range(2))
        self.times, self.context = torch.rand(batch) * 1000, torch.randn(batch, 32, CONTEXT)

    def step(self):
        self.optimiser.zero_grad(set_to_none=True)
        F.mse_loss(self.net(self.x, self.times, self.context), self.y).backward()
        torch.nn.utils.clip_grad_norm_(self.net.parameters(), 1.0)
        self.optimiser.step()
        with torch.no_grad():
            torch._foreach_mul_(list(self.average.parameters()), 0.999)
            torch._foreach_add_(list(self.average.parameters()), list(self.net.parameters()), alpha=0.001)

    def seconds(self, steps):
        times = []
        for i in range(steps + 1):
            start = time.perf_counter()
            self.step()
            if i > 0:
                times.append(time.perf_counter() - start)
        return statistics.median(times)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("heddle", nargs="?")
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=5)
    options = parser.parse_args()
    torch.set_num_threads(2)
    trainers = {"torch": TorchTrainer(options.batch, False), "torch channels last": TorchTrainer(options.batch, True)}
    print(f"{sum(p.numel() for p in trainers['torch'].net.parameters()) / 1e6:.2f} M parameters, batch {options.batch}")
    results = {}
    for _ in range(options.rounds):
        for name, trainer in trainers.items():
            results.setdefault(name, []).append(trainer.seconds(options.steps))
        if options.heddle:
            output = subprocess.run([options.heddle, "bench", "train", "--json", "--batch", str(options.batch), "--repeat", str(options.steps)],
                                    check=True, capture_output=True, text=True).stdout
            results.setdefault("heddle", []).append(json.loads(output.splitlines()[-1])["median_ms"] / 1e3)
    for name, seconds in results.items():
        print(f"{name:20} {statistics.median(seconds) * 1e3:9.1f} ms a step {options.batch / statistics.median(seconds):7.2f} pictures/s")
    if "heddle" in results:
        best = min(statistics.median(v) for k, v in results.items() if k != "heddle")
        print(f"heddle: {best / statistics.median(results['heddle']):.2f} times the faster of PyTorch's two")


if __name__ == "__main__":
    main()
