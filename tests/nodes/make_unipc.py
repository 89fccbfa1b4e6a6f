#!/usr/bin/env python3
"""Prints what tests/nodes/sampler.cpp expects of UniPC, in double precision with NumPy.

Written from the paper (Zhao et al., arXiv:2302.04867, sections 3.1 to 3.3), not from Heddle's code. With a data prediction m,

    x_t = sigma_t / sigma_s x_s + alpha_t int_0^h exp(-(h - u)) m(lambda_s + u) du.

Where the coefficients solve the paper's system (its equation 5), B(h) cancels and m is the polynomial through the points: here an integral by
Gauss and Legendre's rule. Where the paper takes 1/2 instead (UniP-2 and UniC-1), B(h) stays: h is bh1, exp(h) - 1 is bh2; of the data
prediction h and 1 - exp(-h).

With the folder of the conformance case sampler-unipc as argument, compares with what diffusers stored there.
"""
import json
import struct
import sys

import numpy as np

LAST = 999


def table():
    betas = np.linspace(0.00085**0.5, 0.012**0.5, LAST + 1) ** 2
    return np.cumprod(1 - betas)


def levels(steps):
    """diffusers' linspace: whole timesteps, one more than needed, and the lowest level at the end."""
    alpha_bar = table()
    t = np.linspace(0, LAST, steps + 1).round()[::-1][:-1]
    ends = np.append(alpha_bar[t.astype(int)], alpha_bar[0])
    return t, np.sqrt(ends), np.sqrt(1 - ends)


def integral(h, at, values):
    """int_0^h exp(-(h - u)) p(u) du, p through `values` at `at`."""
    nodes, weights = np.polynomial.legendre.leggauss(24)
    total = 0
    for node, weight in zip((nodes + 1) * h / 2, weights * h / 2):
        p = 0
        for i, one in enumerate(values):
            basis = 1.0
            for j in range(len(at)):
                if j != i:
                    basis *= (node - at[j]) / (at[i] - at[j])
            p = p + basis * one
        total = total + weight * np.exp(-(h - node)) * p
    return total


def sample(network, x, steps, order, solver):
    t, alpha, sigma = levels(steps)
    lam = np.log(alpha / sigma)
    predictions, began = [], None

    def order_at(i):
        return max(1, min(order, steps - i, i + 1))

    def moved(x, s, p, at, corrected):
        """From level s to s + 1; at: levels of the predictions that are used."""
        h = lam[s + 1] - lam[s]
        keep = sigma[s + 1] / sigma[s] * x
        if p == (1 if corrected else 2):
            other = [k for k in at if k != s][0]
            b = h if solver == "bh1" else -np.expm1(-h)
            slope = (predictions[other] - predictions[s]) / ((lam[other] - lam[s]) / h)
            return keep - alpha[s + 1] * np.expm1(-h) * predictions[s] + alpha[s + 1] * b * 0.5 * slope
        return keep + alpha[s + 1] * integral(h, [lam[k] - lam[s] for k in at], [predictions[k] for k in at])

    for i in range(steps):
        output = network(x, t[i])
        predictions.append((x - sigma[i] * output) / alpha[i])
        if i > 0:  # UniC, with the prediction that was just made at the predicted x
            p = order_at(i - 1)
            x = moved(began, i - 1, p, [i - 1 - k for k in range(p)] + [i], True)
        began = x
        p = order_at(i)
        x = moved(x, i, p, [i - k for k in range(p)], False)
    return x


def read(path):
    with open(path, "rb") as file:
        (size,) = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(size))
        data = file.read()
    return {k: np.frombuffer(data[v["data_offsets"][0] : v["data_offsets"][1]], np.float32).astype(float) for k, v in header.items() if k != "__metadata__"}


if len(sys.argv) > 1:
    given, wanted = read(sys.argv[1] + "/inputs.safetensors"), read(sys.argv[1] + "/expected.safetensors")
    made = sample(lambda x, t: np.tanh(0.7 * given["net_a"] * x + given["net_b"] * t / 1000), given["noise"], 10, 2, "bh2")
    print("relative difference from diffusers:", np.linalg.norm(made - wanted["final"]) / np.linalg.norm(wanted["final"]))
    sys.exit()

start = np.array([1.4, -0.7, 0.2, -2.1])
for solver in ("bh1", "bh2"):
    for order in (1, 2, 3):
        x = sample(lambda x, t: np.tanh(0.7 * np.array([0.9, -0.4, 1.3, 0.6]) * x + np.array([0.3, 0.8, -0.5, 0.1]) * t / 1000), start, 7, order, solver)
        print(f'        QTest::newRow("{solver} {order}") << "{solver}" << {order} << std::vector<double>{{' + ", ".join(f"{v:.9f}" for v in x) + "};")
