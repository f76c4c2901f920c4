"""Where the nodes of a layered graph stand: few crossings, straight long edges, no two nodes on top of each other.

The method is Sugiyama's: long edges get a bend in every layer that they cross, layers are ordered by barycentres, and
each layer is then placed as near as possible to its neighbours with a minimum distance kept (isotonic regression).
Everything is iterative; the graph may be as deep as the program was long.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

Edge = tuple[int, int]

BEND = 14.0  # width that an edge takes where it passes through a layer
ORDER_SWEEPS = 8
PLACE_SWEEPS = 12


@dataclass(frozen=True, slots=True)
class Layout:
    """Nodes 0…n-1 are the caller's, those after them are bends. `x` is the middle of a node; `layers` go downward."""

    layers: list[list[int]]
    x: list[float]
    chains: dict[Edge, list[int]]  # an edge -> its nodes from tail to head, bends between them
    width: float


def depths(band: Sequence[int], edges: Sequence[Edge]) -> list[int]:
    """A rank for each node: bands in ascending order, within a band by depth, so that every edge goes down.

    Edges go from lower to higher index; `band[i]` is the band of node i and must not decrease along an edge.
    """
    within = [0] * len(band)
    for tail, head in sorted(edges, key=lambda edge: edge[1]):
        if band[tail] == band[head]:
            within[head] = max(within[head], within[tail] + 1)
    seen = sorted(set(zip(band, within, strict=True)))
    rank = {pair: place for place, pair in enumerate(seen)}
    return [rank[pair] for pair in zip(band, within, strict=True)]


def layered(ranks: Sequence[int], edges: Sequence[Edge], widths: Sequence[float], gap: float = 26.0) -> Layout:
    """The layout of a graph whose node i stands in layer `ranks[i]`; edges go from lower to higher ranks."""
    sizes = list(widths)
    layers: list[list[int]] = [[] for _ in range(max(ranks, default=-1) + 1)]
    for node, rank in enumerate(ranks):
        layers[rank].append(node)
    chains: dict[Edge, list[int]] = {}
    for tail, head in edges:
        if (tail, head) in chains:
            continue
        chain = [tail]
        for rank in range(ranks[tail] + 1, ranks[head]):
            layers[rank].append(len(sizes))
            chain.append(len(sizes))
            sizes.append(BEND)
        chains[tail, head] = [*chain, head]
    up: list[list[int]] = [[] for _ in sizes]
    down: list[list[int]] = [[] for _ in sizes]
    for chain in chains.values():
        for above, below in pairwise(chain):
            down[above].append(below)
            up[below].append(above)
    layers = _order(layers, up, down)
    x = _place(layers, up, down, sizes, len(widths), gap)
    left = min((x[i] - sizes[i] / 2 for i in range(len(sizes))), default=0.0)
    x = [value - left for value in x]
    return Layout(layers, x, chains, max((x[i] + sizes[i] / 2 for i in range(len(sizes))), default=0.0))


def crossings(layers: Sequence[Sequence[int]], down: Sequence[Sequence[int]]) -> int:
    """How often edges between neighbouring layers cross: inversions, counted pair by pair of edge ends."""
    place = {node: i for layer in layers for i, node in enumerate(layer)}
    total = 0
    for layer in layers:
        ends: list[int] = []
        for node in layer:
            here = sorted(place[other] for other in down[node])
            total += sum(1 for end in here for earlier in ends if earlier > end)
            ends += here
    return total


def _order(layers: list[list[int]], up: list[list[int]], down: list[list[int]]) -> list[list[int]]:
    """Sort each layer by the mean position of its neighbours, down and up in turn; keep the best order seen."""
    best, fewest = layers, crossings(layers, down)
    current = [list(layer) for layer in layers]
    place: dict[int, float] = {}  # 0 at the left end of a layer, 1 at the right

    def settle(layer: list[int]) -> None:
        place.update((node, i / max(len(layer) - 1, 1)) for i, node in enumerate(layer))

    for layer in current:
        settle(layer)
    for sweep in range(ORDER_SWEEPS):
        if not fewest:
            break
        neighbours = up if sweep % 2 == 0 else down
        for layer in current if sweep % 2 == 0 else reversed(current):
            goal = {node: _mean([place[n] for n in neighbours[node]], place[node]) for node in layer}
            layer.sort(key=goal.__getitem__)
            settle(layer)
        count = crossings(current, down)
        if count < fewest:
            best, fewest = [list(layer) for layer in current], count
    return best


def _place(
    layers: list[list[int]], up: list[list[int]], down: list[list[int]], sizes: list[float], real: int, gap: float
) -> list[float]:
    """The middle of each node: layers are pulled towards their neighbours, down and up in turn."""
    x = [0.0] * len(sizes)
    alone = [not (up[node] or down[node]) for node in range(len(sizes))]
    for sweep in range(PLACE_SWEEPS):
        neighbours = up if sweep % 2 == 0 else down
        for layer in layers if sweep % 2 == 0 else reversed(layers):
            wanted = [_mean([x[n] for n in neighbours[node]], x[node]) for node in layer]
            # a bend holds its edge straight; what has no edge stands beside the next node and pulls nothing
            weights = [1e-6 if alone[node] else 1.0 if node < real else 4.0 for node in layer]
            apart = [0.0]
            for left, right in pairwise(layer):
                apart.append(apart[-1] + (sizes[left] + sizes[right]) / 2 + gap)
            shifted = [want - distance for want, distance in zip(wanted, apart, strict=True)]
            held = [k for k, node in enumerate(layer) if not alone[node]]
            for k, node in enumerate(layer):
                if alone[node] and held:
                    _, nearest = min((abs(h - k), h) for h in held)
                    shifted[k] = shifted[nearest]
            for node, base, distance in zip(layer, _isotonic(shifted, weights), apart, strict=True):
                x[node] = base + distance
    return x


def _isotonic(values: Sequence[float], weights: Sequence[float]) -> list[float]:
    """The nearest non-decreasing sequence in weighted least squares (pool adjacent violators)."""
    pools: list[tuple[float, float, int]] = []  # mean, weight, length
    for value, weight in zip(values, weights, strict=True):
        pool = (value, weight, 1)
        while pools and pools[-1][0] > pool[0]:
            mean, other, length = pools.pop()
            both = other + pool[1]
            pool = ((mean * other + pool[0] * pool[1]) / both, both, length + pool[2])
        pools.append(pool)
    return [mean for mean, _, length in pools for _ in range(length)]


def _mean(values: Sequence[float], otherwise: float) -> float:
    return sum(values) / len(values) if values else otherwise
