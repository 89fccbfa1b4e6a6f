#!/usr/bin/env python3
"""Makes optimisers.safetensors, schedules.safetensors and two_block.safetensors, which tests/golden/train.cpp compares with.

    python3 make_train.py FOLDER      (needs python3-torch 1.13)

SGD and AdamW are PyTorch's; Adafactor (arXiv:1804.04235) and 8-bit AdamW (arXiv:2110.02861) are written out here in numpy.
Gradients are a formula of element and step, which the test repeats.
"""
import math
import pathlib
import sys

import numpy as np
import torch
import torch.nn.functional as F

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))
from stored import save, wave


def gradient(shape, step):
    """Magnitudes over four decades."""
    i = np.arange(math.prod(shape), dtype=np.float64)
    return (wave(shape, step + 10).reshape(-1) * 10.0 ** -(i % 4)).astype(np.float32).reshape(shape)


def torch_run(make, shapes, steps):
    result = {}
    for name, shape in shapes.items():
        p = torch.nn.Parameter(torch.from_numpy(wave(shape, 1)))
        optimiser = make([p])
        for step in range(steps):
            p.grad = torch.from_numpy(gradient(shape, step))
            optimiser.step()
        result[name] = p.detach().numpy()
    return result


def adafactor_run(shape, steps, rate, relative, momentum, decay):
    p = wave(shape, 1).astype(np.float64)
    matrix = len(shape) > 1
    rows = columns = second = first = 0.0
    rms = lambda x: math.sqrt((x * x).mean())
    for t in range(1, steps + 1):
        g = gradient(shape, t - 1).astype(np.float64)
        beta2 = 1 - t ** -0.8
        squares = g * g + 1e-30
        if matrix:
            squares = squares.reshape(shape[0], -1)
            rows = beta2 * rows + (1 - beta2) * squares.mean(1, keepdims=True)
            columns = beta2 * columns + (1 - beta2) * squares.mean(0, keepdims=True)
            u = g / np.sqrt(rows @ columns / rows.mean()).reshape(shape)
        else:
            second = beta2 * second + (1 - beta2) * squares
            u = g / np.sqrt(second)
        u = u / max(1.0, rms(u))
        size = min(rate, 1 / math.sqrt(t)) * max(1e-3, rms(p)) if relative else rate
        u = u * size
        if momentum:
            first = momentum * first + (1 - momentum) * u
            u = first
        p = p - decay * size * p - u
    return p.astype(np.float32)


def dynamic_map(with_sign):
    values = [0.0, 1.0]
    for i in range(7):
        edges = np.linspace(0.1, 1, 2 ** (i if with_sign else i + 1) + 1)
        means = 10.0 ** (i - 6) * (edges[:-1] + edges[1:]) / 2
        values += list(means) + (list(-means) if with_sign else [])
    assert len(values) == 256
    return np.sort(np.array(values))


def encode(x, with_sign):
    table = dynamic_map(with_sign)
    scale = np.abs(x).max(1, keepdims=True)
    unit = x / np.maximum(scale, 1e-37)
    middles = (table[1:] + table[:-1]) / 2
    return np.searchsorted(middles, unit).astype(np.uint8), scale


def decode(codes, scale, with_sign):
    return dynamic_map(with_sign)[codes] * scale


def adamw8_run(shape, steps, rate, block=2048):
    p = wave(shape, 1).astype(np.float64).reshape(-1)
    count = -(-p.size // block)
    state = [(np.full((count, block), 127, np.uint8), np.zeros((count, 1))), (np.zeros((count, block), np.uint8), np.zeros((count, 1)))]
    for t in range(1, steps + 1):
        g = np.zeros(count * block)
        g[:p.size] = gradient(shape, t - 1).reshape(-1)
        g = g.reshape(count, block)
        m = 0.9 * decode(*state[0], True) + 0.1 * g
        v = 0.999 * decode(*state[1], False) + 0.001 * g * g
        step = rate / (1 - 0.9 ** t) * m / (np.sqrt(v / (1 - 0.999 ** t)) + 1e-8)
        p = p * (1 - rate * 0.01) - step.reshape(-1)[:p.size]
        state = [encode(m, True), encode(v, False)]
    return p.reshape(shape).astype(np.float32), state


def optimisers():
    shapes = {"matrix": (6, 5), "vector": (7,), "filter": (4, 3, 3, 3)}
    out = {}
    runs = {
        "sgd": lambda p: torch.optim.SGD(p, lr=0.1, weight_decay=0.02),
        "momentum": lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9, dampening=0.3, weight_decay=0.02),
        "nesterov": lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9, nesterov=True),
        "adamw": lambda p: torch.optim.AdamW(p, lr=0.01, weight_decay=0.1),
    }
    for run, make in runs.items():
        for name, value in torch_run(make, shapes, 10).items():
            out[f"{run}.{name}"] = value
    for name, shape in shapes.items():
        out[f"adafactor.{name}"] = adafactor_run(shape, 10, 0.01, True, 0, 0)
        out[f"adafactor_fixed.{name}"] = adafactor_run(shape, 10, 0.02, False, 0.9, 0.1)
    value, ((codes1, scales1), (codes2, scales2)) = adamw8_run((70, 100), 4, 0.01)
    out.update({"adamw8.large": value, "adamw8.moment1": codes1, "adamw8.moment1_scale": scales1.astype(np.float32),
                "adamw8.moment2": codes2, "adamw8.moment2_scale": scales2.astype(np.float32)})
    return out


def schedules():
    def run(make, steps=60, rate=0.5):
        optimiser = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=rate)
        scheduler = make(optimiser)
        rates = []
        for _ in range(steps):
            rates.append(optimiser.param_groups[0]["lr"])
            optimiser.step()
            scheduler.step()
        return np.array(rates, np.float32)

    lr = torch.optim.lr_scheduler
    return {
        "cosine": run(lambda o: lr.CosineAnnealingLR(o, 50, eta_min=0.01), 51),
        "restarts": run(lambda o: lr.CosineAnnealingWarmRestarts(o, 8, T_mult=2, eta_min=0.01)),
        "linear": run(lambda o: lr.LinearLR(o, start_factor=1.0, end_factor=0.1, total_iters=40)),
        "polynomial": run(lambda o: lr.PolynomialLR(o, total_iters=40, power=2.0)),
        "step": run(lambda o: lr.StepLR(o, 7, gamma=0.3)),
        "warmup": run(lambda o: lr.LinearLR(o, start_factor=0.1, end_factor=1.0, total_iters=9)),
    }


class TwoBlock(torch.nn.Module):
    """A convolutional residual block, an attention-like block, and a linear head."""

    def __init__(self):
        super().__init__()
        self.conv_in = torch.nn.Conv2d(3, 16, 3, padding=1)
        self.norm1 = torch.nn.GroupNorm(4, 16)
        self.conv1 = torch.nn.Conv2d(16, 16, 3, padding=1)
        self.norm2 = torch.nn.GroupNorm(4, 16)
        self.q = torch.nn.Linear(16, 16, bias=False)
        self.k = torch.nn.Linear(16, 16, bias=False)
        self.v = torch.nn.Linear(16, 16, bias=False)
        self.out = torch.nn.Linear(16, 16)
        self.head = torch.nn.Linear(16, 5)

    def forward(self, x):
        h = self.conv_in(x)
        h = h + self.conv1(F.silu(self.norm1(h)))
        t = self.norm2(h).flatten(2).transpose(1, 2)
        weights = torch.softmax(self.q(t) @ self.k(t).transpose(1, 2) * 0.25, -1)
        t = t + self.out(weights @ self.v(t))
        return self.head(F.silu(t)).mean(1)


def two_block(steps=30):
    torch.manual_seed(7)
    net = TwoBlock()
    out = {f"start.{name}": p.detach().numpy().copy() for name, p in net.named_parameters()}
    average = {name: p.detach().clone() for name, p in net.named_parameters()}
    x, y = torch.randn(4, 3, 8, 8), torch.randn(4, 5)
    out.update({"x": x.numpy(), "y": y.numpy()})
    optimiser = torch.optim.AdamW(net.parameters(), lr=3e-3, weight_decay=0.05)
    losses = []
    for step in range(steps):
        optimiser.param_groups[0]["lr"] = 3e-3 * (0.5 + 0.5 * math.cos(math.pi * step / 40))
        optimiser.zero_grad()
        loss = F.mse_loss(net(x), y)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 0.5)
        optimiser.step()
        decay = min(0.99, (2 + step) / (11 + step))
        for name, p in net.named_parameters():
            average[name] += (p.detach() - average[name]) * (1 - decay)
        losses.append(loss.item())
    out["losses"] = np.array(losses, np.float32)
    for name, p in net.named_parameters():
        out[f"end.{name}"] = p.detach().numpy()
        out[f"average.{name}"] = average[name].numpy()
    return out


def main():
    folder = pathlib.Path(sys.argv[1])
    torch.set_num_threads(1)
    save(folder / "optimisers.safetensors", optimisers())
    save(folder / "schedules.safetensors", schedules())
    save(folder / "two_block.safetensors", two_block())


if __name__ == "__main__":
    main()
