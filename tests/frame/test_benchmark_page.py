"""The HTML report: whole, alone, and it says what was measured."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser

import pytest

from frame.benchmarking import Bench, Linear, Measured, Measurement, Result, Sample, StorageUse, benchmark
from frame.benchmarking.page import render_page
from frame.benchmarking.svg import Axis, micros
from frame.benchmarking.worst import read_worst
from frame.weights import DB
from pallets.system import System

MACHINE = ["a <machine> & more"]


def made(name: str, shape: str) -> Result:
    """A measurement of one component whose times follow a shape."""

    @benchmark(n=Linear(0, 10))
    def found(b: Bench[System], n: int) -> Iterator[Measured]:
        """So many <things>."""
        yield lambda: None

    times = {"straight": lambda n: 5_000 + 200 * n, "bent": lambda n: 5_000 + 900 * n * n}[shape]
    samples = tuple(
        Sample({"n": n}, (times(n),) * 5, (StorageUse("System::Account", n, 1, 128, n * 2603),), 99 * n)
        for n in range(11)
    )
    object.__setattr__(found, "name", name)
    return Result(Measurement("System", found, samples, "So many <things>.", "system"))


def plain() -> Result:
    """One without components."""

    @benchmark()
    def found(b: Bench[System]) -> Iterator[Measured]:
        yield lambda: None

    return Result(Measurement("System", found, (Sample({}, (7_000, 7_100, 90_000), ()),), "", "system"))


class Outline(HTMLParser):
    """Checks that elements close in order, and collects ids, links and outside addresses."""

    VOID = {"meta", "input", "br", "circle", "line"}

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.outside: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in self.VOID:
            self.open.append(tag)
        for name, value in attrs:
            if name == "id":
                self.ids.append(value or "")
            if name == "href":
                self.links.append(value or "")
            if name in ("src", "srcset") or (name == "href" and not (value or "").startswith("#")):
                self.outside.append(value or "")

    def handle_endtag(self, tag: str) -> None:
        assert tag in self.VOID or self.open.pop() == tag


def parsed(page: str) -> Outline:
    """The page, taken apart."""
    outline = Outline()
    outline.feed(page)
    outline.close()
    return outline


def test_the_page_is_whole_and_stands_alone() -> None:
    trial = {"name": "system::b()", "ratio": 1.75, "extrinsics": 3, "failed": 0, "note": "",
             "declared_ns": 10, "build_ns": 17, "import_ns": 5}  # fmt: skip
    mix = trial | {
        "name": "two in turn",
        "ratio": 0.5,
        "mix": True,
        "block_ns": 2_000_000_000,
        "in_time": True,
    }
    left_out = {"name": "system::hook", "ratio": 0.0, "note": "nobody <signs> it"}
    results = [made("b", "straight"), made("a", "bent"), plain()]
    page = render_page(results, MACHINE, 11, 5, worst=[trial, mix, left_out])
    outline = parsed(page)
    assert outline.open == [] and outline.outside == []
    assert len(set(outline.ids)) == len(outline.ids)
    assert {link.removeprefix("#") for link in outline.links} <= set(outline.ids), "links lead somewhere"
    assert not re.search(r"https?://|@import|url\(", page), "nothing is fetched"
    assert "a &lt;machine&gt; &amp; more" in page and "So many &lt;things&gt;." in page
    assert "grows faster than in proportion to `n`" in page
    assert '<td class="num late">1.75</td>' in page and 'class="ratio over"' in page
    assert "A block of two in turn was built in 17 ns and imported in 5 ns, within its 2 s." in page
    assert "nobody &lt;signs&gt; it" in page


def test_calls_are_sorted_by_what_they_cost_and_split_by_why() -> None:
    cheap, dear = made("cheap", "straight"), made("dear", "bent")
    page = render_page([cheap, dear, plain()], MACHINE, 11, 5)
    assert page.index('href="#system-dear"><span>') < page.index('href="#system-cheap"><span>')
    reads = 10 * DB.read
    assert f"10 reads {micros(reads)}" in page and f"1 write {micros(DB.write)}" in page
    total = cheap.time.at({"n": 10}) + reads + DB.write
    assert f'data-total="{total}"' in page


def test_numbers_for_people() -> None:
    shown = [micros(value) for value in (0, 999, 1_500, 2_500_000, 3e9, 4.2e12)]
    assert shown == ["0", "999 ps", "1.5 ns", "2.5 µs", "3 ms", "4.2 s"]
    assert Axis(0, 10, 0, 100).ticks() == [0, 5, 10] and Axis(0, 10, 0, 100).at(5) == 50
    assert Axis(3, 3, 0, 1).ticks(), "a range of nothing has a tick"


def test_what_is_no_worst_case_is_refused() -> None:
    assert read_worst('[{"name": "x", "ratio": 1}]')
    for wrong in ("{}", "[1]", '[{"name": "x"}]', "nonsense"):
        with pytest.raises(ValueError):
            read_worst(wrong)
