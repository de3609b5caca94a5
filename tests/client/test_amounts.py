"""Amounts of money as people write and read them: exact, never through floats."""

from argparse import ArgumentTypeError

import hypothesis.strategies as st
import pytest
from hypothesis import given

from client.commands.shared import UNIT, amount, grist


@given(st.integers(0, 2**128 - 1))
def test_what_is_shown_reads_back(units: int) -> None:
    assert amount(grist(units).removesuffix(" GRIST")) == units


def test_examples() -> None:
    assert amount("1.5") == 3 * UNIT // 2
    assert amount("0.000000000001") == 1
    assert amount("1e3") == 1000 * UNIT
    assert grist(0) == "0 GRIST"
    assert grist(100 * UNIT) == "100 GRIST"
    assert grist(UNIT // 10 + 1) == "0.100000000001 GRIST"


@pytest.mark.parametrize(
    "text", ["", "x", "-1", "nan", "inf", "0.0000000000001", "1e40", "1e999999999", "1,5"]
)
def test_what_is_no_amount(text: str) -> None:
    with pytest.raises(ArgumentTypeError):
        amount(text)
