#!/usr/bin/env python3
"""Compares `heddle bench` with PyTorch on this machine, both in one run: medians and their ratio.

    tests/bench/compare_torch.py build/bin/heddle [--vae ENCODER DECODER] [--rounds N]

Needs python3-torch. The autoencoder comparison takes taef1 files (safetensors). Rounds alternate the two programs, so that
a machine that slows down slows both; quote the ratios.
"""
import argparse
import json
import statistics
import struct
import subprocess
import time

import torch
import torch.nn.functional as F


REPEATS = 41   # of an operation, on both sides


def median_ms(run, repeats=9):
    times = []
    with torch.no_grad():
        for i in range(repeats + 2):
            start = time.perf_counter()
            run()
            if i >= 2:
                times.append((time.perf_counter() - start) * 1e3)
    return statistics.median(times)


def load_safetensors(path):
    with open(path, "rb") as file:
        data = file.read()
    size = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8:8 + size])
    header.pop("__metadata__", None)
    types = {"F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16}
    tensors = {}
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        raw = torch.frombuffer(bytearray(data[8 + size + begin:8 + size + end]), dtype=types[entry["dtype"]])
        tensors[name] = raw.reshape(entry["shape"]).float()
    return tensors


class TinyHalf:
    """Sequential layers by their published indices; only what taef1 needs."""

    def __init__(self, tensors):
        prefixes = ("encoder.", "decoder.", "")
        prefix = next(p for p in prefixes if any(name.startswith(p) for name in tensors))
        self.weights = {name[len(prefix):]: value for name, value in tensors.items()}

    def conv(self, x, key, stride=1):
        return F.conv2d(x, self.weights[key + ".weight"], self.weights.get(key + ".bias"), stride=stride, padding=1)

    def block(self, x, at):
        h = F.relu(self.conv(x, f"{at}.conv.0"))
        h = F.relu(self.conv(h, f"{at}.conv.2"))
        return F.relu(self.conv(h, f"{at}.conv.4") + x)

    def encode(self, x):
        x = self.block(self.conv(x, "0"), 1)
        for at in (2, 6, 10):
            x = self.conv(x, str(at), stride=2)
            for i in (1, 2, 3):
                x = self.block(x, at + i)
        return self.conv(x, "14")

    def decode(self, x):
        x = F.relu(self.conv(torch.tanh(x / 3) * 3, "1"))
        for at in (3, 8, 13):
            for i in range(3):
                x = self.block(x, at + i)
            x = self.conv(F.interpolate(x, scale_factor=2), str(at + 4))
        return self.conv(self.block(x, 18), "19")


def heddle_rows(program, *arguments):
    output = subprocess.run([program, "bench", *arguments, "--json"], check=True, capture_output=True, text=True).stdout
    return [json.loads(line) for line in output.splitlines()]


def rms_norm(x, scale):
    return x * torch.rsqrt(x.square().mean(-1, keepdim=True) + 1e-6) * scale


def torch_ops():
    line, other = torch.randn(4 << 20), torch.randn(4 << 20)
    table = torch.randn(4096, 1024)
    more, wide = torch.randn(4096, 1024), torch.randn(1024, 5120)
    scale, shift = torch.randn(1024), torch.randn(1024)
    maps, more_maps = (torch.randn(1, 320, 64, 64).contiguous(memory_format=torch.channels_last) for _ in range(2))
    channels = torch.randn(1, 320, 1, 1)
    return {
        "silu+add": lambda: F.silu(line) + other,
        "mul+add+relu": lambda: F.relu(line * other + 0.5),
        "gelu": lambda: F.gelu(line),
        "softmax": lambda: torch.softmax(table, -1),
        "layer_norm": lambda: F.layer_norm(table, (1024,), scale, shift),
        "residual+rms_norm": lambda: rms_norm(table + more, scale),
        "geglu": lambda: wide[:, :2560] * F.gelu(wide[:, 2560:]),
        "bias+residual": lambda: line + shift[:1] + other,
        "bias+residual (map)": lambda: maps + channels + more_maps,
        "sum (columns)": lambda: table.sum(0),
        "mean (all)": lambda: line.mean(),
        "sum (rows)": lambda: table.sum(1),
        "group_norm+silu": lambda: F.silu(F.group_norm(maps, 32)),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("heddle")
    parser.add_argument("--vae", nargs=2, metavar=("ENCODER", "DECODER"))
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    torch.set_num_threads(2)
    results = {}
    for _ in range(options.rounds):
        for name, run in torch_ops().items():   # the two sides of a row right after one another
            rows = heddle_rows(options.heddle, "ops", "--filter", name, "--repeat", str(REPEATS))
            results.setdefault(name, []).append((next(row["median_ms"] for row in rows if row["name"] == name), median_ms(run, REPEATS)))
        if options.vae:
            row = heddle_rows(options.heddle, "vae", *options.vae, "--size", str(options.size))[0]
            encoder, decoder = (TinyHalf(load_safetensors(path)) for path in options.vae)
            picture = torch.rand(1, 3, options.size, options.size)
            latent = encoder.encode(picture)
            results.setdefault(f"vae encode {options.size}", []).append((row["encode_ms"], median_ms(lambda: encoder.encode(picture))))
            results.setdefault(f"vae decode {options.size}", []).append((row["decode_ms"], median_ms(lambda: decoder.decode(latent))))
    print(f"{'':20} {'heddle ms':>10} {'torch ms':>10} {'torch/heddle':>13}")
    for name, pairs in results.items():
        ours, theirs = (statistics.median(side) for side in zip(*pairs))
        ratio = statistics.median(b / a for a, b in pairs)
        print(f"{name:20} {ours:10.2f} {theirs:10.2f} {ratio:13.2f}")


if __name__ == "__main__":
    main()
