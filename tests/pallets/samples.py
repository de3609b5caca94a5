"""Small valid values for tests of the market's pallets: schema, policy, terms, specification, blobs, keys."""

from __future__ import annotations

from functools import cache
from typing import Any

from primitives.data import (
    Column,
    Dtype,
    GivenWeights,
    Loss,
    OptimizerKind,
    Policy,
    Schema,
    Tariff,
    Terms,
    Windows,
    WithoutDp,
    blob_hash_of,
    piece_hash,
    pieces,
)
from primitives.scale import replace
from primitives.sealing import public_key
from primitives.spec import (
    NUMERICS,
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

MILLI = 10**9
GRIST = 10**12
SECOND = 1_000
HOUR = 3_600 * SECOND


def account(name: str) -> bytes:
    """An account that is its name."""
    return name.encode().ljust(32, b".")


ALICE, BOB, CAROL, DAVE, EVE = map(account, ("alice", "bob", "carol", "dave", "eve"))


@cache
def seal_key(secret: int = 7) -> bytes:
    """A valid encryption key."""
    return public_key(secret.to_bytes(32, "little"))


SCHEMA = Schema(
    columns=[
        Column(name=b"pixels", dtype=Dtype.U8, shape=[64]),
        Column(name=b"label", dtype=Dtype.U8, shape=[]),
    ],
    rows_per_chunk=100,
)

POLICY = Policy(
    without_dp=WithoutDp.Anyone(),
    given_weights=GivenWeights.Never(),
    rho_budget=1_000_000_000,
    sigma_min_milli=2_000,
    min_rows=10,
    params_per_row_milli=1_000_000,
    losses=[Loss.CrossEntropy],
    optimizers=[OptimizerKind.Sgd],
    rate_min=float_bits(0.001),
    rate_max=float_bits(1.0),
    epochs_max=50,
    metrics=[],
)

TARIFF = Tariff(base=10 * MILLI, per_gwork=MILLI, per_rho=GRIST)
WINDOWS = Windows(accept_ms=10 * SECOND, result_ms=60 * SECOND, confirm_ms=30 * SECOND)


def rent(tariff: Tariff = TARIFF, windows: Windows = WINDOWS) -> Terms.Rent:
    """Terms of rent."""
    return Terms.Rent(tariff=tariff, windows=windows)


SPEC = TrainingSpec(
    version=1,
    numerics=NUMERICS,
    model_hash=bytes(range(32)),
    inputs=[InputMap(column=b"pixels", tensor=b"x", affine=None)],
    target=Target(column=b"label", tensor=b"y"),
    loss=LossSpec.CrossEntropy(),
    optimizer=OptimizerSpec.Sgd(rate=float_bits(0.1), momentum=float_bits(0.9)),
    schedule=Schedule.Constant(),
    epochs=3,
    batch=32,
    seed=bytes(32),
    init=Init.Beacon(),
    trainable=[],
    dp=None,
    shuffle=True,
    shards=1,
)

DP = Dp(clip_num=1, clip_den=1, sigma_milli=4_000)
"""At 10 epochs it costs 312,500,000 nano-ρ."""


def spec(**changes: Any) -> TrainingSpec:
    """The sample specification with changes."""
    return replace(SPEC, **changes)


def policy(**changes: Any) -> Policy:
    """The sample policy with changes."""
    return replace(POLICY, **changes)


def hashes(data: bytes) -> list[bytes]:
    """The piece hashes of a blob."""
    return [piece_hash(i, piece) for i, piece in enumerate(pieces(data))]


def blob_hash(data: bytes) -> bytes:
    """The content hash of a blob."""
    return blob_hash_of(len(data), hashes(data))
