"""Counters and histograms, and the text form in which Prometheus reads them.

Written here rather than taken from `prometheus_client`: that library renames every counter to `…_total`,
while Substrate's dashboards ask for the bare names; it also costs 40 ms at boot and a lock at each count. A
count here is one dictionary step in the node's own thread.

Source of the form: Prometheus' text-based exposition format 0.0.4.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""The default buckets of Prometheus' clients, which Substrate takes where it names none."""

Labels = Mapping[str, str]


class Sample(NamedTuple):
    """One number: what follows the family's name, its labels, its value."""

    suffix: str
    labels: Labels
    value: float


class Family(NamedTuple):
    """Samples of one name."""

    name: str
    kind: str
    """counter, gauge or histogram."""
    help: str
    samples: Sequence[Sample]


def counter(name: str, help: str, value: float) -> Family:
    """One number that only grows."""
    return Family(name, "counter", help, [Sample("", {}, value)])


def gauge(name: str, help: str, value: float, labels: Labels | None = None) -> Family:
    """One number of now."""
    return Family(name, "gauge", help, [Sample("", labels or {}, value)])


class Histogram:
    """How often values fell into each bucket (`bounds`: their inclusive upper ends), and their sum."""

    __slots__ = ("bounds", "counts", "sum")

    def __init__(self, bounds: Sequence[float] = SECONDS) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.sum = 0.0

    def observe(self, value: float, times: int = 1) -> None:
        """Count one value, so many times."""
        self.counts[bisect_left(self.bounds, value)] += times
        self.sum += value * times

    @property
    def count(self) -> int:
        return sum(self.counts)

    def samples(self, labels: Labels | None = None) -> Iterator[Sample]:
        """Cumulative buckets, sum and count."""
        labels, below = labels or {}, 0
        for bound, count in zip(self.bounds, self.counts, strict=False):
            below += count
            yield Sample("_bucket", {**labels, "le": _number(bound)}, below)
        yield Sample("_bucket", {**labels, "le": "+Inf"}, self.count)
        yield Sample("_sum", labels, self.sum)
        yield Sample("_count", labels, self.count)

    def family(self, name: str, help: str) -> Family:
        """The histogram alone under its name."""
        return Family(name, "histogram", help, list(self.samples()))


def text(families: Iterable[Family]) -> str:
    """The whole answer to a scrape."""
    return "".join(line + "\n" for family in families for line in _lines(family))


def _lines(family: Family) -> Iterator[str]:
    name = family.name
    yield f"# HELP {name} {_escaped(family.help)}"
    yield f"# TYPE {name} {family.kind}"
    for sample in family.samples:
        labels = ",".join(f'{key}="{_quoted(value)}"' for key, value in sample.labels.items())
        yield f"{name}{sample.suffix}{f'{{{labels}}}' if labels else ''} {_number(sample.value)}"


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(float(value))


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n")


def _quoted(text: str) -> str:
    return _escaped(text).replace('"', '\\"')
