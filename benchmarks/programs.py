"""Programs of arrays: each as one writes it with NumPy, its gradient as an expert writes it by hand, and in PyTorch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

Derivative = Callable[..., tuple[Any, Any]]  # the arguments -> (value, one derivative for each argument)


@dataclass(frozen=True)
class Program:
    """A function of the arguments that returns one number."""

    title: str
    arguments: tuple[Any, ...]  # float arrays or floats: what it is differentiated with respect to
    loss: Callable[..., Any]  # plain NumPy; whatever else it reads is constant
    by_hand: Derivative
    in_torch: Callable[[], Callable[..., Any]]  # makes the same function of tensors; asked only where PyTorch is
    in_place: Derivative | None = None  # by hand once more, for speed: it writes over what it has made


# ---- multilayer perceptron -------------------------------------------------------------------------------------------


def weights(rng: np.random.Generator, hidden: int) -> tuple[np.ndarray, ...]:
    """Of a network 2-hidden-hidden-1, a matrix and an offset for each layer."""
    sizes = (2, hidden, hidden, 1)
    made = []
    for fan_in, fan_out in pairwise(sizes):
        made += [rng.normal(size=(fan_in, fan_out)) / np.sqrt(fan_in), 0.1 * rng.normal(size=fan_out)]
    return tuple(made)


def mlp(batch: int = 64, hidden: int = 16) -> Program:
    """Mean squared error of a network 2-hidden-hidden-1 with tanh."""
    rng = np.random.default_rng(1)
    x = rng.normal(size=(batch, 2))
    y = np.sin(x[:, :1]) * x[:, 1:]

    def loss(w1, b1, w2, b2, w3, b3):
        h1 = np.tanh(x @ w1 + b1)
        h2 = np.tanh(h1 @ w2 + b2)
        out = h2 @ w3 + b3
        return np.mean((out - y) ** 2)

    def by_hand(w1, b1, w2, b2, w3, b3):
        h1 = np.tanh(x @ w1 + b1)
        h2 = np.tanh(h1 @ w2 + b2)
        error = h2 @ w3 + b3 - y
        d3 = (2 / batch) * error
        d2 = (d3 @ w3.T) * (1 - h2 * h2)
        d1 = (d2 @ w2.T) * (1 - h1 * h1)
        value = np.mean(error * error)
        return value, (x.T @ d1, d1.sum(axis=0), h1.T @ d2, d2.sum(axis=0), h2.T @ d3, d3.sum(axis=0))

    def in_place(w1, b1, w2, b2, w3, b3):
        h1 = x @ w1
        h1 += b1
        np.tanh(h1, out=h1)
        h2 = h1 @ w2
        h2 += b2
        np.tanh(h2, out=h2)
        d3 = h2 @ w3
        d3 += b3
        d3 -= y
        value = np.vdot(d3, d3) / batch
        d3 *= 2 / batch
        g3 = h2.T @ d3
        d2 = d3 * w3[:, 0]
        h2 *= h2
        d2 *= np.subtract(1, h2, out=h2)
        g2 = h1.T @ d2
        d1 = d2 @ w2.T
        h1 *= h1
        d1 *= np.subtract(1, h1, out=h1)
        return value, (x.T @ d1, d1.sum(axis=0), g2, d2.sum(axis=0), g3, d3.sum(axis=0))

    def in_torch():
        import torch

        inputs, targets = torch.from_numpy(x), torch.from_numpy(y)

        def loss(w1, b1, w2, b2, w3, b3):
            h1 = torch.tanh(inputs @ w1 + b1)
            h2 = torch.tanh(h1 @ w2 + b2)
            out = h2 @ w3 + b3
            return torch.mean((out - targets) ** 2)

        return loss

    title = f"MLP 2-{hidden}-{hidden}-1, batch {batch}"
    return Program(title, weights(rng, hidden), loss, by_hand, in_torch, in_place)


def two_moons(n: int) -> tuple[np.ndarray, np.ndarray]:
    """n points on two half circles that interlock, and to which of them each belongs, -1 or 1."""
    rng = np.random.default_rng(2)
    angle = np.linspace(0, np.pi, n // 2)
    upper = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    lower = np.stack([1 - np.cos(angle), 0.5 - np.sin(angle)], axis=1)
    points = np.concatenate([upper, lower]) + 0.1 * rng.normal(size=(2 * (n // 2), 2))
    return points, np.repeat([[-1.0], [1.0]], n // 2, axis=0)


def moons(points: int = 64, hidden: int = 16) -> Program:
    """Logistic loss of a network 2-hidden-hidden-1 with tanh that tells the two moons apart."""
    x, y = two_moons(points)

    def loss(w1, b1, w2, b2, w3, b3):
        h1 = np.tanh(x @ w1 + b1)
        h2 = np.tanh(h1 @ w2 + b2)
        score = h2 @ w3 + b3
        return np.mean(np.logaddexp(0.0, -y * score))

    def by_hand(w1, b1, w2, b2, w3, b3):
        h1 = np.tanh(x @ w1 + b1)
        h2 = np.tanh(h1 @ w2 + b2)
        margin = y * (h2 @ w3 + b3)
        d3 = -y / (points * (1 + np.exp(margin)))
        d2 = (d3 @ w3.T) * (1 - h2 * h2)
        d1 = (d2 @ w2.T) * (1 - h1 * h1)
        value = np.mean(np.logaddexp(0.0, -margin))
        return value, (x.T @ d1, d1.sum(axis=0), h1.T @ d2, d2.sum(axis=0), h2.T @ d3, d3.sum(axis=0))

    def in_torch():
        import torch

        inputs, sides = torch.from_numpy(x), torch.from_numpy(y)

        def loss(w1, b1, w2, b2, w3, b3):
            h1 = torch.tanh(inputs @ w1 + b1)
            h2 = torch.tanh(h1 @ w2 + b2)
            score = h2 @ w3 + b3
            return torch.mean(torch.nn.functional.softplus(-sides * score))

        return loss

    title = f"two moons, 2-{hidden}-{hidden}-1"
    return Program(title, weights(np.random.default_rng(3), hidden), loss, by_hand, in_torch)


def train(derivative: Derivative, start: tuple[Any, ...], steps: int, rate: float = 0.5) -> tuple[Any, Any]:
    """Gradient descent in a plain loop; each step asks for the derivative anew. The last value, the last weights."""
    now = start
    for _ in range(steps):
        value, gradient = derivative(*now)
        now = tuple(w - rate * g for w, g in zip(now, gradient, strict=True))
    return value, now


# ---- Gaussian process ------------------------------------------------------------------------------------------------


def gaussian_process(n: int = 100) -> Program:
    """Log-likelihood of n observations under a Gaussian process with an RBF kernel, by its three hyperparameters.

    Rasmussen and Williams, Gaussian Processes for Machine Learning (2006): the value is algorithm 2.1, the derivative
    by hand is equation 5.9.
    """
    rng = np.random.default_rng(4)
    x = np.sort(rng.uniform(-3, 3, size=n))
    y = np.sin(2 * x) + 0.1 * rng.normal(size=n)
    squared = (x[:, None] - x) ** 2
    identity = np.eye(n)
    constant = 0.5 * n * np.log(2 * np.pi)

    def loss(length, signal, noise):
        k = signal**2 * np.exp(-0.5 * squared / length**2) + noise**2 * identity
        lower = np.linalg.cholesky(k)
        a = np.linalg.solve(lower, y)
        return -0.5 * a @ a - np.sum(np.log(np.diag(lower))) - constant

    def by_hand(length, signal, noise):
        smooth = signal**2 * np.exp(-0.5 * squared / length**2)
        k = smooth + noise**2 * identity
        inverse = np.linalg.inv(k)
        a = inverse @ y
        value = -0.5 * y @ a - 0.5 * np.linalg.slogdet(k)[1] - constant
        adjoint = 0.5 * (np.outer(a, a) - inverse)
        weighted = adjoint * smooth
        by_length = np.vdot(weighted, squared) / length**3
        return value, (by_length, 2 / signal * weighted.sum(), 2 * noise * np.trace(adjoint))

    def in_torch():
        import torch

        distances, eye, targets = torch.from_numpy(squared), torch.from_numpy(identity), torch.from_numpy(y)

        def loss(length, signal, noise):
            k = signal**2 * torch.exp(-0.5 * distances / length**2) + noise**2 * eye
            lower = torch.linalg.cholesky(k)
            a = torch.linalg.solve_triangular(lower, targets[:, None], upper=False)[:, 0]
            return -0.5 * a @ a - torch.sum(torch.log(torch.diag(lower))) - constant

        return loss

    return Program(f"Gaussian process, n = {n}", (0.7, 1.2, 0.3), loss, by_hand, in_torch)


# ---- recurrent network -----------------------------------------------------------------------------------------------


def rnn(steps: int = 100, hidden: int = 16, batch: int = 8) -> Program:
    """Mean squared error of a recurrent network with tanh after its last step."""
    rng = np.random.default_rng(5)
    x = rng.normal(size=(steps, batch, 3))
    y = np.mean(x[:, :, :1], axis=0)
    arguments = (
        rng.normal(size=(3, hidden)),
        0.9 * rng.normal(size=(hidden, hidden)) / np.sqrt(hidden),
        0.1 * rng.normal(size=hidden),
        rng.normal(size=(hidden, 1)) / np.sqrt(hidden),
    )

    def loss(wx, wh, b, wo):
        h = np.zeros((batch, hidden))
        for t in range(steps):
            h = np.tanh(x[t] @ wx + h @ wh + b)
        return np.mean((h @ wo - y) ** 2)

    def by_hand(wx, wh, b, wo):
        h = np.zeros((steps + 1, batch, hidden))
        driven = x @ wx + b  # of all steps at once, as below the products that make the gradients
        for t in range(steps):
            h[t + 1] = np.tanh(driven[t] + h[t] @ wh)
        error = h[steps] @ wo - y
        d_out = (2 / batch) * error
        slope = 1 - h[1:] * h[1:]
        d = np.empty_like(driven)
        back = d_out @ wo.T
        for t in range(steps - 1, -1, -1):
            d[t] = back * slope[t]
            back = d[t] @ wh.T
        d = d.reshape(-1, hidden)
        by_wx = x.reshape(-1, 3).T @ d
        by_wh = h[:-1].reshape(-1, hidden).T @ d
        return np.mean(error * error), (by_wx, by_wh, d.sum(axis=0), h[steps].T @ d_out)

    def in_torch():
        import torch

        inputs, targets = torch.from_numpy(x), torch.from_numpy(y)

        def loss(wx, wh, b, wo):
            h = torch.zeros((batch, hidden), dtype=torch.float64)
            for t in range(steps):
                h = torch.tanh(inputs[t] @ wx + h @ wh + b)
            return torch.mean((h @ wo - targets) ** 2)

        return loss

    return Program(f"RNN, {steps} steps, hidden {hidden}", arguments, loss, by_hand, in_torch)
