"""The largest schema, policy and specification that the types allow: for benchmarks, and tests of bounds."""

from __future__ import annotations

from functools import cache
from typing import TypeVar

from primitives.data import (
    COLUMNS_MAX,
    DIMS_MAX,
    NAME_MAX,
    TRUSTED_MAX,
    Column,
    Dtype,
    GivenWeights,
    Loss,
    Metric,
    OptimizerKind,
    Policy,
    Schema,
    WithoutDp,
)
from primitives.hashing import blake2_256
from primitives.sealing import public_key
from primitives.spec import (
    CLASSES_MAX,
    INPUTS_MAX,
    NUMERICS,
    SPEC_VERSION,
    TENSOR_NAME_MAX,
    Affine,
    Dp,
    Init,
    InputMap,
    LossSpec,
    OptimizerSpec,
    Schedule,
    Target,
    TrainingSpec,
    float_bits,
)

T = TypeVar("T")

LISTED = 16
"""Losses, optimizers and metrics that a policy lists at most."""


@cache
def seal_key() -> bytes:
    """A valid encryption key."""
    return public_key(bytes([7]).ljust(32, b"\0"))


def columns(count: int = COLUMNS_MAX) -> list[Column]:
    """Columns with the longest names, which differ only at their ends, and the most dimensions."""
    return [Column(name=_name(i, NAME_MAX), dtype=Dtype.U8, shape=[1] * DIMS_MAX) for i in range(count)]


def schema(count: int = COLUMNS_MAX) -> Schema:
    """A schema of so many of these columns."""
    return Schema(columns=columns(count), rows_per_chunk=1)


def policy(buyer: bytes) -> Policy:
    """The longest policy, which lets `buyer`, the last in its lists, train everything."""
    trusted = [*(blake2_256(bytes([i])) for i in range(TRUSTED_MAX - 1)), buyer]
    return Policy(
        without_dp=WithoutDp.Trusted(accounts=trusted),
        given_weights=GivenWeights.Trusted(accounts=trusted),
        rho_budget=2**63,
        sigma_min_milli=1,
        min_rows=1,
        params_per_row_milli=2**32 - 1,
        losses=_repeated(list(Loss)),
        optimizers=_repeated(list(OptimizerKind)),
        rate_min=1,
        rate_max=float_bits(1000.0),
        epochs_max=2**16 - 1,
        metrics=_repeated(list(Metric)),
    )


def spec(trainable: int, columns: int = COLUMNS_MAX, classes: int = CLASSES_MAX) -> TrainingSpec:
    """A specification that names so many trainable tensors, and the most inputs from the last columns, with a
    weight for each of so many classes.
    """
    first = max(columns - INPUTS_MAX, 0)
    inputs = [
        InputMap(
            column=_name(min(first + i, columns - 1), NAME_MAX),
            tensor=_name(i, TENSOR_NAME_MAX),
            affine=Affine(mean=float_bits(0.5), scale=float_bits(2.0)),
        )
        for i in range(INPUTS_MAX)
    ]
    return TrainingSpec(
        version=SPEC_VERSION,
        numerics=NUMERICS,
        model_hash=bytes(32),
        inputs=inputs,
        target=Target(column=_name(columns - 1, NAME_MAX), tensor=_name(255, TENSOR_NAME_MAX)),
        loss=LossSpec.WeightedCrossEntropy(
            weights=[float_bits(1.0)] * classes, ignore=None, smoothing=0, probabilities=False
        ),
        optimizer=OptimizerSpec.Sgd(rate=float_bits(0.1), momentum=float_bits(0.9)),
        schedule=Schedule.Constant(),
        epochs=3,
        batch=32,
        seed=bytes(32),
        init=Init.Given(),
        trainable=[_name(i, TENSOR_NAME_MAX - 1) for i in range(trainable)],
        dp=Dp(clip_num=1, clip_den=1, sigma_milli=4_000),
        shuffle=True,
        shards=1,
    )


def _name(number: int, length: int) -> bytes:
    return str(number).rjust(length, "n").encode()


def _repeated(values: list[T]) -> list[T]:
    return (values * LISTED)[:LISTED]
