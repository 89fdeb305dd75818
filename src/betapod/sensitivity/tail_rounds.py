"""Rounds of a Sobol' design that go where outputs lie far out, with runs for those players alone whose indices are not yet known.

Half of the points stay even; the others are drawn nearer to where single outputs lie far out (`tail_shifts`). A total index is the mean of
squares of differences between a point and the same with a player's columns drawn anew. Either of the two may be the one that was drawn first,
so that the weight of the pair is that of its mean density; likewise of a first-order index, whose pairs have a player's columns in common.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from .additive_parts import AdditivePart, additive_parts
from .far_intervals import has_far_tail, largest_share, with_far_runs
from .index_table import IndexTable, Numbers, jackknifed, ratio
from .schemes import sobol_points
from .sobol_schemes import SobolScheme
from .tail_shifts import PointLaw, shifted, tail_shift

#: Points of all repetitions from which it is asked whether outputs have far tails: fewer show none of what one run in some hundred meets.
TAIL_POINTS = 1024
#: Rounds after which shifts are told anew; later rounds keep them.
_REFINED = 2
#: Runs of an even design by which shifts are told, at most.
_LOOKED = 300_000
#: Points of each repetition from which curves are fitted, at most.
_FITTED = 256

#: Values (..., outputs) as they count.
Scaled = Callable[[Numbers], Numbers]
#: Scheme of the players with runs, and points (n, dimensions) -> values (n, runs, outputs).
PointRuns = Callable[[SobolScheme, Numbers], Numbers]


@dataclass(frozen=True)
class Net:
    """Runs at consecutive points of one sequence, in every repetition.

    Attributes
    ----------
    law
        Number of the law that its points have; 0: even.
    first, count
        Of the points of a repetition.
    players
        Those with runs.
    values
        (repetitions, count, players + 2, outputs) at a, at a with the columns of each of the players of b, at b.
    """

    law: int
    first: int
    count: int
    players: tuple[int, ...]
    values: Numbers


@dataclass
class TailRounds:
    """A Sobol' design with shifts.

    Attributes
    ----------
    scheme
        Of all players.
    nets
        What was run; the first is the even design that came before.
    laws
        Of points; the first is even.
    seed, scaled
        Of the scramblings, and how values count.
    """

    scheme: SobolScheme
    nets: list[Net]
    seed: int
    scaled: Scaled
    laws: list[PointLaw] = field(default_factory=list)
    growing: list[int] = field(default_factory=list)
    rounds: int = 0

    def __post_init__(self) -> None:
        self.laws = self.laws or [PointLaw(np.zeros(self.scheme.columns), both=False)]
        self._parts: list[AdditivePart] | None = None

    @property
    def repetitions(self) -> int:
        """How many there are."""
        return len(self.nets[0].values)

    @property
    def runs(self) -> int:
        """Runs of the function."""
        return sum(net.values[..., 0].size for net in self.nets)

    @property
    def points(self) -> int:
        """Points of all repetitions."""
        return self.repetitions * sum(net.count for net in self.nets)

    @property
    def lost(self) -> float:
        """Share of the values that are no number."""
        lost = sum(int(np.sum(~np.isfinite(net.values))) for net in self.nets)
        return lost / sum(net.values.size for net in self.nets)

    def look(self) -> bool:
        """Tell shifts from what was run; return whether there is one."""
        fresh = self._found_shifts() if self.rounds < _REFINED else []
        if fresh:
            self.growing = list(range(len(self.laws), len(self.laws) + 2 * len(fresh)))
            self.laws += [PointLaw(shift, both) for shift in fresh for both in (False, True)]
        return bool(self.growing)

    def _found_shifts(self) -> list[Numbers]:
        places, values, weights = [], [], []
        for net in self.nets:
            points = self._points(net)
            x = self.scaled(net.values)
            if self.rounds == 0:
                some = max(_LOOKED // (self.repetitions * x.shape[2]), 1)
                points, x = points[:, :some], x[:, :some]
                # Of an even design every run counts.
                runs = SobolScheme([self.scheme.players[k] for k in net.players], self.scheme.columns)
                u = np.stack([runs.places(of_repetition) for of_repetition in points])
                places.append(u.reshape(len(points), -1, self.scheme.columns))
                values.append(x.reshape(len(points), -1, x.shape[-1]))
                weights.append(np.ones(values[-1].shape[:2]))
            else:
                places.append(points[..., : self.scheme.columns])
                values.append(x[:, :, 0])
                weights.append(self._weights(points).single)
        u, y, w = (np.concatenate(parts, axis=1) for parts in (places, values, weights))
        far = [k for k in range(y.shape[-1]) if has_far_tail(y[..., k].ravel(), w.ravel())]
        shifts = [tail_shift(u, y[..., k], w) for k in far]
        return [shift for shift in shifts if shift.any()]

    def planned(self) -> list[tuple[int, int, int]]:
        """Return shift, first point and count of the nets of the next round, as many even points as there are and as many again in all shifts."""
        even = self._count(0)
        share = max(even >> max(len(self.growing) - 1, 0).bit_length(), 1)
        return [(0, even, even), *((law, self._count(law), share) for law in self.growing)]

    def _count(self, law: int, player: int | None = None) -> int:
        return sum(net.count for net in self.nets if net.law == law and (player is None or player in net.players))

    def add(self, run: PointRuns, planned: Sequence[tuple[int, int, int]], players: Sequence[int]) -> None:
        """Run a round for some players."""
        scheme = SobolScheme([self.scheme.players[k] for k in players], self.scheme.columns)
        for law, first, count in planned:
            parts = []
            for repetition in range(self.repetitions):
                points = self._of_repetition(repetition, law, first, count)
                parts.append(run(scheme, points))
            self.nets.append(Net(law, first, count, tuple(players), np.stack(parts)))
        self.rounds += 1

    def _of_repetition(self, repetition: int, law: int, first: int, count: int) -> Numbers:
        """Return points (count, 2 columns) of a net in a repetition; a is shifted."""
        key = (self.seed, repetition, law) if law else (self.seed, repetition)
        # A sequence goes on in steps of its own length, whatever it began with.
        step = count if first % count == 0 else np.gcd(first, count)
        parts = [sobol_points(self.scheme.dimensions, start, step, key) for start in range(first, first + count, step)]
        points = np.concatenate(parts)
        columns, shift = self.scheme.columns, self.laws[law].shift
        points[:, :columns] = shifted(points[:, :columns], shift)
        if self.laws[law].both:
            points[:, columns:] = shifted(points[:, columns:], shift)
        return points

    def _points(self, net: Net) -> Numbers:
        return np.stack([self._of_repetition(k, net.law, net.first, net.count) for k in range(self.repetitions)])

    def _weights(self, points: Numbers, players: Sequence[int] = ()) -> _Weights:
        """Return the weights of points (repetitions, n, 2 columns), and of what players with runs there make of them."""
        columns = self.scheme.columns
        shape = points.shape[:2]
        single = np.zeros(shape)
        differing, common, both = (np.zeros((len(players), *shape)) for _ in range(3))
        everybody = self._shares()
        of_players = [self._shares(player) for player in players]
        for number, law in enumerate(self.laws):
            densities = law.densities(points[..., :columns], points[..., columns:])
            single += everybody[number] * densities.of_a
            of_two = densities.of_two()
            for position, player in enumerate(players):
                share = of_players[position][number]
                if share:
                    of_differing, of_common = densities.of_player(self.scheme.players[player])
                    differing[position] += share * of_differing
                    common[position] += share * of_common
                    both[position] += share * of_two
        return _Weights(1.0 / single, 1.0 / differing, 1.0 / common, 1.0 / both)

    def _shares(self, player: int | None = None) -> Numbers:
        """Return the share of points that each law has, of those with runs of a player."""
        counts = np.array([self._count(law, player) for law in range(len(self.laws))], dtype=np.float64)
        return np.asarray(counts / counts.sum())

    def _curves(self, centre: Numbers) -> list[AdditivePart]:
        """Return the curves of each repetition, told from the first even points once and for all."""
        if self._parts is None:
            net = self.nets[0]
            some = slice(0, _FITTED)
            both = (self.scaled(net.values) - centre)[:, some][:, :, [0, -1]]
            self._parts = additive_parts(list(self._points(net)[:, some]), both)
        return self._parts

    def tables(self) -> list[IndexTable]:
        """Return first-order and total indices."""
        sums = _Sums.of(self)
        orders = {"first": sums.first_order, "total": sums.total_order}
        first, total = (jackknifed(name, order, self.repetitions) for name, order in orders.items())
        changes, square = sums.largest_shares()
        return with_far_runs((first, total), changes, square, square, self._far(), self.repetitions)

    def _far(self) -> Numbers:
        """Return which outputs have far tails (outputs,)."""
        x, weights = self._at_a()
        return np.array([has_far_tail(x[..., k].ravel(), weights.ravel()) for k in range(x.shape[-1])])

    def _at_a(self) -> tuple[Numbers, Numbers]:
        """Return values (repetitions, n, outputs) at a of all nets as they count, and their weights (repetitions, n)."""
        parts = [(self.scaled(net.values)[:, :, 0], self._weights(self._points(net)).single) for net in self.nets]
        return np.concatenate([x for x, _ in parts], axis=1), np.concatenate([w for _, w in parts], axis=1)

    def moments(self) -> tuple[Numbers, Numbers]:
        """Return means and SDs (outputs,) of the values as they are."""
        parts = [(self._weights(self._points(net)).single[..., None], net.values[:, :, 0]) for net in self.nets]
        weights = [np.where(np.isfinite(x), w, 0.0) for w, x in parts]
        total = sum(w.sum(axis=(0, 1)) for w in weights)
        mean = sum((w * np.nan_to_num(x)).sum(axis=(0, 1)) for w, (_, x) in zip(weights, parts, strict=True)) / total
        squares = sum(
            (w * (np.nan_to_num(x) - mean) ** 2).sum(axis=(0, 1)) for w, (_, x) in zip(weights, parts, strict=True)
        )
        return np.asarray(mean), np.asarray(np.sqrt(squares / total))


@dataclass(frozen=True)
class _Weights:
    """Weights (repetitions, n) of a, and (players, repetitions, n) of pairs that differ in a player, have it alone in common, and of a and b.

    Each is 1 over the density under all that points were drawn from, each law by its share of the points (over that of even points).
    """

    single: Numbers
    differing: Numbers
    common: Numbers
    both: Numbers


@dataclass
class _Sums:
    """Weighted sums of each repetition over all nets; what curves account for is taken off, and known.

    Attributes
    ----------
    products, pairs, squares, counts
        (players, repetitions, outputs) for first-order and for total indices, with their weights.
    number, first, second
        (repetitions, outputs) sums of weights, values and squares at a.
    shares, variance
        (repetitions, players, outputs) and (repetitions, outputs) of the curves.
    most_changed, most
        (players, outputs) and (outputs,) the largest addends of total indices and of the variance, with their weights.
    """

    products: Numbers
    pairs: Numbers
    squares: Numbers
    counts: Numbers
    number: Numbers
    first: Numbers
    second: Numbers
    shares: Numbers
    variance: Numbers
    most_changed: Numbers
    most: Numbers

    @classmethod
    def of(cls, design: TailRounds) -> _Sums:
        repetitions, outputs = design.repetitions, design.nets[0].values.shape[-1]
        players = design.scheme.players
        centre = np.nanmean(design.scaled(design.nets[0].values), axis=(0, 1, 2))
        curves = design._curves(centre)
        by_player, at_a = (len(players), repetitions, outputs), (repetitions, outputs)
        shares = np.stack(
            [np.stack([part.shares[list(columns)].sum(axis=0) for columns in players]) for part in curves]
        )
        sums = cls(
            products=np.zeros(by_player),
            pairs=np.zeros(by_player),
            squares=np.zeros(by_player),
            counts=np.zeros(by_player),
            number=np.zeros(at_a),
            first=np.zeros(at_a),
            second=np.zeros(at_a),
            shares=shares,
            variance=np.stack([part.shares.sum(axis=0) for part in curves]),
            most_changed=np.zeros((len(players), outputs)),
            most=np.zeros(outputs),
        )
        for net in design.nets:
            sums._add(design, net, centre, curves)
        return sums

    def _add(self, design: TailRounds, net: Net, centre: Numbers, curves: Sequence[AdditivePart]) -> None:
        columns, points = design.scheme.columns, design._points(net)
        weights = design._weights(points, net.players)
        x = design.scaled(net.values) - centre
        for repetition, part in enumerate(curves):
            u, y = points[repetition], x[repetition]
            a, b, moved = y[:, 0], y[:, -1], y[:, 1:-1] - y[:, :1]
            curve_a, curve_b = part.curves(u[:, :columns]), part.curves(u[:, columns:])
            sum_a, sum_b, change = curve_a.sum(axis=1), curve_b.sum(axis=1), curve_b - curve_a
            for target, value in zip(
                (self.number, self.first, self.second),
                _weighted(weights.single[repetition][:, None], a, a**2 - sum_a**2), strict=True,
            ):  # fmt: skip
                target[repetition] += value
            largest = np.nanmax(weights.single[repetition][:, None] * np.abs(a**2 - sum_a**2), axis=0, initial=0.0)
            self.most = np.maximum(self.most, largest)
            for position, player in enumerate(net.players):
                move = change[:, list(design.scheme.players[player])].sum(axis=1)
                changed = a + moved[:, position]
                common, both = (kind[position][repetition][:, None] for kind in (weights.common, weights.both))
                product = common * (b * changed - sum_b * (sum_a + move)) - both * (a * b - sum_a * sum_b)
                number, product = _weighted(np.ones_like(common), product)
                self.pairs[player, repetition] += number
                self.products[player, repetition] += product
                differing = weights.differing[position][repetition][:, None]
                number, square = _weighted(differing, moved[:, position] ** 2 - move**2)
                self.counts[player, repetition] += number
                self.squares[player, repetition] += square
                largest = np.nanmax(0.5 * differing * np.abs(moved[:, position] ** 2 - move**2), axis=0, initial=0.0)
                self.most_changed[player] = np.maximum(self.most_changed[player], largest)

    def largest_shares(self) -> tuple[Numbers, Numbers]:
        """Return the largest addends of total indices (players, outputs) and of the variance (outputs,), as shares of it."""
        variance = self._variance(np.ones(len(self.number)))
        changes = largest_share(self.most_changed, self.counts.sum(axis=1), variance)
        return changes, largest_share(self.most, self.number.sum(axis=0), variance)

    def _variance(self, weights: Numbers) -> Numbers:
        number = weights @ self.number
        return np.asarray(
            weights @ self.variance / weights.sum()
            + weights @ self.second / number
            - (weights @ self.first / number) ** 2
        )

    def first_order(self, weights: Numbers) -> Numbers:
        """Return first-order indices with some repetitions."""
        return self._order(weights, self.products, self.pairs)

    def total_order(self, weights: Numbers) -> Numbers:
        """Return total indices with some repetitions."""
        return self._order(weights, 0.5 * self.squares, self.counts)

    def _order(self, weights: Numbers, sums: Numbers, counts: Numbers) -> Numbers:
        rest = np.einsum("r,prm->pm", weights, sums) / np.einsum("r,prm->pm", weights, counts)
        of_curves = np.tensordot(weights, self.shares, 1) / weights.sum()
        return ratio(of_curves + rest, self._variance(weights))


def _weighted(weights: Numbers, *values: Numbers) -> list[Numbers]:
    """Return the sum of the weights of what is a number, and the weighted sums of values (n, outputs)."""
    there = np.isfinite(values[0])
    kept = np.where(there, weights, 0.0)
    return [kept.sum(axis=0), *(np.where(there, weights * value, 0.0).sum(axis=0) for value in values)]
