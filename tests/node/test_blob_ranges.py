"""Which bytes a Range header means, and which pieces hold them."""

import itertools

import hypothesis.strategies as st
import pytest
from hypothesis import given

from node.rpc.blob import Span, Unsatisfiable, cuts, parse_range
from primitives.data import PIECE


@pytest.mark.parametrize(
    ("header", "span"),
    [
        (None, None),
        ("bytes=0-0", Span(0, 1)),
        ("bytes=5-", Span(5, 100)),
        ("bytes=-7", Span(93, 100)),
        ("bytes=-700", Span(0, 100)),
        ("bytes=90-900", Span(90, 100)),
        ("bytes=9-5", None),
        ("bytes=-", None),
        ("bytes=0-1,5-6", None),
        ("rows=0-1", None),
        ("bytes=¹-2", None),
        ("", None),
    ],
)
def test_ranges(header: str | None, span: Span | None) -> None:
    assert parse_range(header, 100) == span


@pytest.mark.parametrize("header", ["bytes=100-", "bytes=100-200", "bytes=-0"])
def test_a_range_outside_cannot_be_satisfied(header: str) -> None:
    with pytest.raises(Unsatisfiable):
        parse_range(header, 100)


@given(st.integers(1, 4 * PIECE), st.data())
def test_the_cuts_are_the_bytes(length: int, data: st.DataObject) -> None:
    first = data.draw(st.integers(0, length - 1))
    span = Span(first, data.draw(st.integers(first + 1, length)))
    covered = [(index * PIECE + part.start, index * PIECE + part.stop) for index, part in cuts(span)]
    assert covered[0][0] == span.first and covered[-1][1] == span.end
    assert all(start < stop for start, stop in covered)
    assert all(a[1] == b[0] for a, b in itertools.pairwise(covered))
