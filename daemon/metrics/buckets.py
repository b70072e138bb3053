"""Histograms in which noting a value costs little: a few numbers, made into samples when they are asked for.

prometheus_client's go through all bounds, and take two locks: ten times the cost. A request notes some five.
"""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from itertools import accumulate

from prometheus_client import CollectorRegistry
from prometheus_client.core import HistogramMetricFamily
from prometheus_client.registry import Collector


class Buckets:
    """How many values there were up to each bound, and their sum. One thread notes, any may read."""

    __slots__ = ("_bounds", "_numbers", "_sum")

    def __init__(self, bounds: Sequence[float]) -> None:
        self._bounds = bounds
        self._numbers = [0] * (len(bounds) + 1)
        self._sum = 0.0

    def observe(self, value: float) -> None:
        """Note a value."""
        self._numbers[bisect_left(self._bounds, value)] += 1
        self._sum += value

    def add_to(self, family: HistogramMetricFamily, labels: Sequence[str]) -> None:
        """Give what was noted so far to a family that is shown."""
        names = [*(str(float(bound)) for bound in self._bounds), "+Inf"]
        family.add_metric(labels, list(zip(names, accumulate(self._numbers), strict=True)), self._sum)


class BucketFamily(Collector):
    """Buckets that differ in their labels."""

    def __init__(
        self,
        name: str,
        says: str,
        labels: Sequence[str],
        *,
        bounds: Sequence[float],
        registry: CollectorRegistry,
    ) -> None:
        self._name, self._says, self._label_names = name, says, labels
        self._bounds = bounds
        self._children: dict[tuple[str, ...], Buckets] = {}
        registry.register(self)

    def labels(self, *values: str) -> Buckets:
        """The buckets with these labels."""
        return self._children.setdefault(values, Buckets(self._bounds))

    def leave(self, label: str, value: str) -> None:
        """Drop those whose label has this value."""
        place = self._label_names.index(label)
        self._children = {key: each for key, each in self._children.items() if key[place] != value}

    def describe(self) -> Iterator[HistogramMetricFamily]:
        """The family without its samples."""
        yield HistogramMetricFamily(self._name, self._says, labels=self._label_names)

    def collect(self) -> Iterator[HistogramMetricFamily]:
        """The family as it is shown now."""
        family = HistogramMetricFamily(self._name, self._says, labels=self._label_names)
        for labels, buckets in self._children.items():
            buckets.add_to(family, labels)
        yield family
