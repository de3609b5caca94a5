"""The ONNX project's own tests through the compiler: nothing wrong, and no fewer passed than recorded."""

import json

import pytest

from executor import conformance
from executor.conformance import PASSED, REFUSED, WRONG, Outcome, counts, run

RECORDED = {"node": 1588, "simple": 15, "pytorch-converted": 82, "pytorch-operator": 35, "real": 9}
"""Passed by onnx 1.23; raise them when more pass."""
NAMED = ("UnknownOp", "UnsupportedType", "UnsupportedAttribute", "UnsupportedOpset", "DynamicShape")
"""Refusals that name an operator, a type, a form, or a shape that depends on data."""


@pytest.fixture(scope="module")
def outcomes() -> list[Outcome]:
    """Every test, in one process."""
    return run()


@pytest.mark.timeout(600)
def test_nothing_is_wrong(outcomes: list[Outcome]) -> None:
    assert [(item.name, item.why) for item in outcomes if item.outcome == WRONG] == []


def test_as_many_pass_as_recorded(outcomes: list[Outcome]) -> None:
    found = counts(outcomes)
    assert {kind for kind in RECORDED if found[kind][PASSED] < RECORDED[kind]} == set()


def test_refusals_have_a_name_and_a_reason(outcomes: list[Outcome]) -> None:
    for item in outcomes:
        if item.outcome == REFUSED:
            name, _, reason = item.why.partition(": ")
            assert name in NAMED and len(reason) > 10, item


def test_the_command_prints_numbers(capsys: pytest.CaptureFixture[str]) -> None:
    assert conformance.main(["--json", "--kind", "node", "--match", "test_add"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["total"] == found["node"] and found["node"]["passed"] >= 8 and found["node"]["wrong"] == 0
