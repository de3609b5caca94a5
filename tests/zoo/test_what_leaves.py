"""What everybody or the buyer sees of a job, besides the weights: the same for any rows."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from executor import receipt
from executor.enclave import Enclave, Limits, Secrets, TrainResult
from executor.errors import BadData
from executor.rows import MemoryRows
from primitives.data import Column, Dtype, Schema
from primitives.job import Metric
from primitives.spec import Affine, Dp, InputMap, TrainingSpec, float_bits
from tests.executor.planted import matmul_model, spec_for

MODEL = matmul_model()
LIMITS = Limits(memory=1 << 24, fuel=10**10, deadline_ms=120_000)
PRIVATE = Dp(clip_num=1, clip_den=1, sigma_milli=2000)
HUGE = 3e38


def rows_of(values: Sequence[float], labels: Sequence[int]) -> MemoryRows:
    columns = [
        Column(name=b"x", dtype=Dtype.F32, shape=[2]),
        Column(name=b"label", dtype=Dtype.U8, shape=[]),
    ]
    x = np.array(values, dtype=np.float32).reshape(-1, 2)
    return MemoryRows(
        Schema(columns=columns, rows_per_chunk=3), {"x": x, "label": np.array(labels)}, bytes(32)
    )


CALM = rows_of([0.0] * 8, [0, 0, 0, 0])
SMALL = rows_of([1e-40, -1e-38, 1.0, 2.0, -1.0, 0.5, 3.0, 1e-45], [2, 1, 0, 2])
WILD = rows_of([HUGE, -HUGE, 1e-45, 0.0, HUGE, HUGE, -1.0, 1e30], [255, 1, 7, 2])


def trained(rows: MemoryRows, spec: TrainingSpec) -> TrainResult:
    return Enclave(1).train(MODEL, rows, spec, LIMITS, Secrets(bytes([5]) * 32), losses=True)


def seen(result: TrainResult, spec: TrainingSpec, metrics: Sequence[Metric]) -> dict[str, Any]:
    """Of a receipt and of the sealed package's length, what is no secret or salted."""
    facts = receipt.JobFacts(bytes(32), 1, bytes(32), None, metrics)
    signed = receipt.build(
        result, spec, facts, bytes(32), receipt.Certifier(bytes(32), 1, lambda message: bytes(64))
    )
    names = ("module_hash", "steps", "fuel", "executor_version", "outcome", "numerics")
    return {
        "length": len(receipt.pack(result, signed)),
        "unconfined": result.quoted.unconfined,
        **{name: getattr(signed, name) for name in names},
    }


def test_length_fuel_and_module_tell_nothing_of_the_rows() -> None:
    """Not even rows of denormal numbers, which are slow on some processors, or losses that are reported."""
    spec = spec_for(MODEL, epochs=1)
    metrics = [Metric.FirstEpochLoss, Metric.LastEpochLoss]
    calm, small = (trained(rows, spec) for rows in (CALM, SMALL))
    assert seen(calm, spec, metrics) == seen(small, spec, metrics)
    assert calm.fuel == calm.quoted.work.fuel and calm.weights != small.weights


def test_under_privacy_no_row_makes_a_job_fail_or_look_different() -> None:
    """Labels that there are not, numbers that overflow in the buyer's normalisation and in the model: the
    reason of a failure stands on the chain for everybody."""
    scaled = [InputMap(column=b"x", tensor=b"x", affine=Affine(mean=0, scale=float_bits(1e9)))]
    spec = spec_for(MODEL, epochs=1, dp=PRIVATE, inputs=scaled)
    calm, wild = (trained(rows, spec) for rows in (CALM, WILD))
    assert seen(calm, spec, ()) == seen(wild, spec, ())
    assert calm.first_loss is wild.first_loss is None


def test_without_privacy_a_failure_tells_something_of_the_rows() -> None:
    """What docs/threat-model.md says is not bounded: a policy that allows such jobs allows this too."""
    with pytest.raises(BadData):
        trained(WILD, spec_for(MODEL, epochs=1))
