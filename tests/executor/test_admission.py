"""The admission check, rule by rule: each bound is allowed itself, and one more is not."""

from dataclasses import replace as changed
from typing import Any

import pytest

from executor.admission import GIVEN_MAX, Bounds, Finding, broken, findings
from executor.enclave import Quoted
from primitives.data import BLOB_MAX, GivenWeights, Policy
from primitives.job import RejectReason, Work, policy_rules
from primitives.scale import replace
from primitives.sealing import sealed_length
from primitives.spec import TrainingSpec
from tests.pallets.samples import BOB, DP, EVE, POLICY, SPEC, spec

ROWS = 1_000
QUOTED = Quoted(
    work=Work(flops=1, memory=5_000, work=70, fuel=1),
    steps=1,
    parameters=100,
    given=0,
    module_hash=bytes(32),
    module_bytes=1,
    imports=0,
    unconfined=(),
)
BOUNDS = Bounds(memory=5_000, work=70)
PRIVATE = spec(epochs=10, dp=DP)
LARGEST = (BLOB_MAX - sealed_length(0)) // 4
"""More numbers than any sealed result holds."""


def judged(
    quoted: Quoted = QUOTED, policy: Policy = POLICY, wish: TrainingSpec = SPEC, **more: Any
) -> list[Finding]:
    return findings(policy, wish, BOB, ROWS, quoted, **more)


def rule(found: list[Finding], name: str) -> Finding:
    (finding,) = (finding for finding in found if finding.rule == name)
    return finding


def test_every_rule_is_judged_and_says_its_figures() -> None:
    found = judged(bounds=BOUNDS)
    own = ["given numbers", "trained parameters a row", "size of the result", "memory", "work"]
    assert [finding.rule for finding in found] == [
        r.name for r in policy_rules(POLICY, SPEC, BOB, ROWS)
    ] + own
    assert all(finding.holds and finding.says for finding in found) and broken(found) is None
    assert [finding.rule for finding in judged()] == [finding.rule for finding in found][:-2]


@pytest.mark.parametrize(
    ("given", "policy", "wish", "holds"),
    [
        (GIVEN_MAX, {}, SPEC, True),
        (GIVEN_MAX + 1, {}, SPEC, False),
        (GIVEN_MAX + 1, {"given_weights": GivenWeights.Never()}, PRIVATE, False),
        (GIVEN_MAX + 1, {"given_weights": GivenWeights.UnderDp()}, SPEC, False),
        (GIVEN_MAX + 1, {"given_weights": GivenWeights.UnderDp()}, PRIVATE, True),
        (GIVEN_MAX + 1, {"given_weights": GivenWeights.Trusted(accounts=[EVE])}, SPEC, False),
        (GIVEN_MAX + 1, {"given_weights": GivenWeights.Trusted(accounts=[EVE, BOB])}, SPEC, True),
    ],
)
def test_numbers_that_the_buyer_brings(
    given: int, policy: dict[str, Any], wish: TrainingSpec, holds: bool
) -> None:
    found = judged(changed(QUOTED, given=given), replace(POLICY, **policy), wish)
    finding = rule(found, "given numbers")
    assert finding.holds == holds and finding.reason == RejectReason.GivenWeightsForbidden
    assert broken(found) == (None if holds else finding)


@pytest.mark.parametrize(("milli", "most"), [(1_000, ROWS), (1_500, 1_500), (1, 1), (999, 999)])
def test_trained_parameters_a_row(milli: int, most: int) -> None:
    policy = replace(POLICY, params_per_row_milli=milli)
    for parameters, holds in ((most, True), (most + 1, False)):
        found = judged(changed(QUOTED, parameters=parameters), policy)
        finding = rule(found, "trained parameters a row")
        assert finding.holds == holds and finding.reason == RejectReason.TooManyParameters
        assert broken(found) == (None if holds else finding)


def test_the_result_has_to_fit_a_blob() -> None:
    policy = replace(POLICY, params_per_row_milli=2**32 - 1)
    assert sealed_length(4 * LARGEST) > BLOB_MAX
    fits = max(n for n in range(LARGEST - 20_000, LARGEST) if sealed_length(4 * n) < BLOB_MAX)
    for parameters, holds in ((fits, True), (fits + 1, False), (LARGEST, False)):
        found = judged(changed(QUOTED, parameters=parameters), policy)
        finding = rule(found, "size of the result")
        assert finding.holds == holds and finding.reason == RejectReason.TooManyParameters
        assert broken(found) == (None if holds else finding)


@pytest.mark.parametrize(
    ("bounds", "name", "reason"),
    [
        (Bounds(memory=4_999, work=70), "memory", RejectReason.TooMuchMemory),
        (Bounds(memory=5_000, work=69), "work", RejectReason.TooMuchWork),
    ],
)
def test_what_the_machine_gives(bounds: Bounds, name: str, reason: RejectReason) -> None:
    found = judged(bounds=bounds)
    assert broken(found) == rule(found, name) and rule(found, name).reason == reason


def test_the_first_broken_rule_is_told() -> None:
    """The policy's own come before those of the model, and these before the machine's."""
    policy = replace(POLICY, epochs_max=1, params_per_row_milli=0)
    found = judged(policy=policy, bounds=Bounds(memory=0, work=0))
    names = [finding.rule for finding in found if not finding.holds]
    assert names == ["epochs", "trained parameters a row", "memory", "work"]
    first = broken(found)
    assert first is not None and (first.rule, first.reason) == ("epochs", RejectReason.PolicyForbids)
