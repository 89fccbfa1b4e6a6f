#!/usr/bin/env python3
"""Prints what tests/nodes/sampler.cpp expects of the samplers that call the network in the middle of a step, in double precision with NumPy.

Written from the formulas, not from Heddle's code: DPM-Solver-2 (Lu et al., arXiv:2206.00927) and DPM-Solver++ (arXiv:2211.01095, algorithm 1 and
appendix B) in k-diffusion's variables, y = x0 + sigma e and t = -ln sigma, with its ancestral steps (Karras et al., arXiv:2206.00364, have the ODE).
Fresh noise is that of one Brownian motion over sigma, as k-diffusion's `BrownianTreeNoiseSampler` has it: the increment of a whole step holds
that of its first half.
"""
import numpy as np

LAST = 999
ALPHA_BAR = np.cumprod(1 - np.linspace(0.00085**0.5, 0.012**0.5, LAST + 1) ** 2)
SIGMAS = np.sqrt((1 - ALPHA_BAR) / ALPHA_BAR)
STEPS = 6


def timestep(sigma):
    return np.interp(np.log(sigma), np.log(SIGMAS), np.arange(LAST + 1))


def karras(n, rho=7):
    high, low = SIGMAS[-1] ** (1 / rho), SIGMAS[0] ** (1 / rho)
    return np.append((high + np.linspace(0, 1, n) * (low - high)) ** rho, 0)


def denoise(y, sigma):
    """x0 as the network says that is given x_t = y / sqrt(1 + sigma^2) and predicts the noise."""
    x = y / np.sqrt(1 + sigma**2)
    noise = np.tanh(0.7 * np.array([0.9, -0.4, 1.3, 0.6]) * x + np.array([0.3, 0.8, -0.5, 0.1]) * timestep(sigma) / 1000)
    return y - sigma * noise


class Brownian:
    """Normal numbers in the order in which they are drawn."""

    def __init__(self):
        self.draws = 0

    def __call__(self):
        self.draws += 1
        k = self.draws
        return np.array([np.sin(k), np.cos(2 * k), np.sin(3 * k + 1), np.cos(5 * k + 2)])


def ancestral(a, b, eta):
    up = min(b, eta * np.sqrt(b**2 * (a**2 - b**2) / a**2))
    return np.sqrt(b**2 - up**2), up


def slope(y, sigma):
    return (y - denoise(y, sigma)) / sigma


def dpm_2(y, a, b, eta, normal, ancestry):
    down, up = ancestral(a, b, eta) if ancestry else (b, 0)
    first = slope(y, a)
    if down == 0:
        y = y + first * (down - a)
    else:
        middle = np.exp(0.5 * np.log(a) + 0.5 * np.log(down))
        y = y + slope(y + first * (middle - a), middle) * (down - a)
    return y + normal() * up if up > 0 else y


def exponential(y, a, b, x0):
    """The exact solution from sigma a to b where the picture stays x0."""
    return x0 if b == 0 else y * b / a - np.expm1(np.log(b) - np.log(a)) * x0


def dpmpp_2s(y, a, b, eta, normal):
    down, up = ancestral(a, b, eta)
    if down == 0:
        y = y + slope(y, a) * (down - a)
    else:
        middle = np.exp(-(-np.log(a) - np.log(down)) / 2)
        y = exponential(y, a, down, denoise(exponential(y, a, middle, denoise(y, a)), middle))
    return y + normal() * up if up > 0 else y


def dpmpp_sde(y, a, b, eta, normal):
    if b == 0:
        return y + slope(y, a) * (b - a)
    middle = np.sqrt(a) * np.sqrt(b)
    stochastic = eta > 0
    half = np.sqrt(a - middle) * normal() if stochastic else 0
    down, up = ancestral(a, middle, eta)
    inner = exponential(y, a, down, denoise(y, a)) + (half / np.sqrt(a - middle)) * up
    picture = denoise(inner, middle)
    down, up = ancestral(a, b, eta)
    whole = half + np.sqrt(middle - b) * normal() if stochastic else 0
    return exponential(y, a, down, picture) + (whole / np.sqrt(a - b)) * up


SAMPLERS = {
    "dpm_2": lambda *given: dpm_2(*given, False),
    "dpm_2_ancestral": lambda *given: dpm_2(*given, True),
    "dpmpp_2s_ancestral": dpmpp_2s,
    "dpmpp_sde": dpmpp_sde,
}
for name, step in SAMPLERS.items():
    for eta in (0.0, 0.6, 1.0, 3.0) if name != "dpm_2" else (0.0,):
        sigmas, normal = karras(STEPS), Brownian()
        y = np.array([1.4, -0.7, 0.2, -2.1]) * np.sqrt(1 + sigmas[0] ** 2)
        for a, b in zip(sigmas, sigmas[1:]):
            y = step(y, a, b, eta, normal)
        print(f'        QTest::newRow("{name} {eta}") << "{name}" << {eta} << std::vector<double>{{' + ", ".join(f"{v:.9f}" for v in y) + "};")
