"""Functions that people differentiate twice, for the comparison with other tools: the text is the same for all of them.

`functions(np, special)` gives each as (function, arguments): of numbers, of arrays, of several of them.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

RNG = np.random.default_rng(7)
POINTS = RNG.normal(size=(9, 3))
LABELS = (POINTS[:, 0] + 0.3 * RNG.normal(size=9) > 0) * 1.0
CLASSES = np.eye(4)[RNG.integers(0, 4, 9)]
TIMES = np.linspace(0.0, 2.0, 7)
SEEN = np.sin(TIMES) + 0.1 * RNG.normal(size=7)
WEIGHTS = RNG.normal(size=(3, 4)), RNG.normal(size=4) / 3, RNG.normal(size=4)
ATOMS = np.array([[0.0, 0.1, 0.0], [1.1, 0.0, 0.2], [0.2, 1.2, -0.1], [0.9, 1.0, 0.8]])
START = np.array([0.5, -1.2, 1.1, 0.3])
SLOPES = np.array([0.4, -0.2, 0.7])
MEANS = np.array([-0.4, 0.9])
SCALES = np.array([0.5, 0.7])
SHARES = np.array([0.1, -0.3])
SCORES = np.array([0.3, -1.0, 0.8, 0.1])
TURNS = np.array([0.3, 0.5, -0.2])
WARMTH = np.linspace(0, 1, 8) ** 2


def functions(np: Any, special: Any) -> dict[str, tuple[Any, tuple[Any, ...]]]:
    """The functions, written for this NumPy."""

    def rosenbrock(x):
        return np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)

    def logistic_regression(w, b):
        margin = (2 * LABELS - 1) * (np.dot(POINTS, w) + b)
        return np.mean(np.logaddexp(0.0, -margin)) + 0.05 * np.sum(w**2)

    def network(w, b, v):
        out = np.dot(np.tanh(np.dot(POINTS, w) + b), v)
        return np.mean((out - LABELS) ** 2)

    def gaussian_process(length, height, noise):
        apart = (TIMES[:, None] - TIMES[None, :]) / length
        K = height**2 * np.exp(-0.5 * apart**2) + noise**2 * np.eye(7)
        L = np.linalg.cholesky(K)
        white = np.linalg.solve(L, SEEN)
        return -0.5 * np.sum(white**2) - np.sum(np.log(np.diag(L)))

    def softmax_regression(w):
        scores = np.dot(POINTS, w)
        top = np.max(scores, axis=1, keepdims=True)
        logarithm = scores - top - np.log(np.sum(np.exp(scores - top), axis=1, keepdims=True))
        return -np.mean(np.sum(CLASSES * logarithm, axis=1))

    def kepler(mean, e):
        E = mean
        for _ in range(6):
            E = E - (E - e * np.sin(E) - mean) / (1 - e * np.cos(E))
        return (np.cos(E) - e) / (1 - e * np.cos(E))

    def black_scholes(s, sigma, r, t):
        d = (np.log(s / 100.0) + (r + sigma**2 / 2) * t) / (sigma * np.sqrt(t))
        cdf = [0.5 * (1 + special.erf(x / np.sqrt(2.0))) for x in (d, d - sigma * np.sqrt(t))]
        return s * cdf[0] - 100.0 * np.exp(-r * t) * cdf[1]

    def predators(a, b, c, d):
        x, y = 1.0, 0.5
        for _ in range(12):
            x, y = x + 0.1 * x * (a - b * y), y + 0.1 * y * (c * x - d)
        return x**2 + y

    def lennard_jones(positions):
        energy = 0.0
        for i in range(4):
            for j in range(i):
                r2 = np.sum((positions[i] - positions[j]) ** 2)
                energy = energy + 4 * (r2**-6 - r2**-3)
        return energy

    def mixture(means, scales, weights):
        shares = weights - np.log(np.sum(np.exp(weights)))
        each = shares - 0.5 * ((SEEN[:, None] - means) / scales) ** 2 - np.log(scales)
        return np.sum(np.log(np.sum(np.exp(each), axis=1)))

    def likelihood_of_a_covariance(w):
        S = np.dot(w, w.T) + 2 * np.eye(3)
        return np.linalg.slogdet(S)[1] + np.trace(np.linalg.solve(S, np.dot(POINTS.T, POINTS)))

    def double_pendulum(p, q, v, w):
        return v**2 + 0.5 * w**2 + v * w * np.cos(p - q) + 19.62 * np.cos(p) + 9.81 * np.cos(q)

    def running_example(x, y):
        return (x + 2 * y) ** 2 * np.sin(x * y)

    return {
        "Rosenbrock": (rosenbrock, (START,)),
        "logistic regression": (logistic_regression, (SLOPES, 0.1)),
        "network": (network, WEIGHTS),
        "Gaussian process": (gaussian_process, (0.8, 1.1, 0.3)),
        "softmax regression": (softmax_regression, (WEIGHTS[0],)),
        "Kepler": (kepler, (1.2, 0.4)),
        "Black–Scholes": (black_scholes, (105.0, 0.2, 0.03, 0.7)),
        "predators and prey": (predators, (1.1, 0.4, 0.3, 0.6)),
        "Lennard-Jones": (lennard_jones, (ATOMS,)),
        "mixture": (mixture, (MEANS, SCALES, SHARES)),
        "covariance": (likelihood_of_a_covariance, (WEIGHTS[0],)),
        "double pendulum": (double_pendulum, (0.3, -0.4, 1.2, 0.7)),
        "running example": (running_example, (2.0, 3.0)),
    }


def mappings(np: Any) -> dict[str, tuple[Any, Any]]:
    """Functions of an array that return one."""

    def softmax(x):
        return np.exp(x) / np.sum(np.exp(x))

    def robot_arm(t):
        angles = np.cumsum(t)
        return np.stack([np.sum(np.cos(angles)), np.sum(np.sin(angles))])

    def heat(u):
        return u[1:-1] + 0.2 * (u[2:] - 2 * u[1:-1] + u[:-2]) + u[1:-1] ** 3

    def layer(w):
        return np.tanh(np.dot(POINTS, w))

    return {
        "softmax": (softmax, SCORES),
        "robot arm": (robot_arm, TURNS),
        "heat": (heat, WARMTH),
        "layer": (layer, WEIGHTS[0]),
    }


def flattened(f: Any, arguments: tuple[Any, ...]) -> tuple[Any, Any]:
    """A function of one vector, and the vector; numbers and arrays are cut out of it."""
    shapes = [np.shape(x) for x in arguments]
    ends = np.cumsum([0, *(int(np.prod(s)) for s in shapes)]).tolist()

    def of_a_vector(v):
        parts = [v[a:b] for a, b in pairwise(ends)]
        return f(*(p.reshape(s) if s else p[0] for p, s in zip(parts, shapes, strict=True)))

    return of_a_vector, np.concatenate([np.ravel(x) for x in arguments])
