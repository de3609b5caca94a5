"""Schemas, blobs, prices and specifications: the rules that pallets, executor and client share."""

import struct
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import given

from primitives import data, job
from primitives import spec as specs
from primitives.data import (
    Column,
    DataError,
    Dtype,
    GivenWeights,
    Loss,
    OptimizerKind,
    Policy,
    Schema,
    WithoutDp,
)
from primitives.hashing import tagged
from primitives.job import RejectReason
from primitives.scale import decode, encode, replace
from primitives.spec import Init, LossSpec, OptimizerSpec, SpecError, TrainingSpec

BUYER, STRANGER = b"b" * 32, b"s" * 32


def schema(*columns: Column, rows_per_chunk: int = 10) -> Schema:
    return Schema(columns=list(columns), rows_per_chunk=rows_per_chunk)


def column(name: bytes = b"x", dtype: Dtype = Dtype.U8, shape: tuple[int, ...] = ()) -> Column:
    return Column(name=name, dtype=dtype, shape=list(shape))


def spec(**changes: Any) -> TrainingSpec:
    base = TrainingSpec(
        version=1,
        numerics=specs.NUMERICS,
        model_hash=bytes(32),
        inputs=[specs.InputMap(column=b"x", tensor=b"in", affine=None)],
        target=specs.Target(column=b"y", tensor=b"out"),
        loss=LossSpec.CrossEntropy(),
        optimizer=OptimizerSpec.Sgd(rate=specs.float_bits(0.1), momentum=specs.float_bits(0.9)),
        schedule=specs.Schedule.Constant(),
        epochs=3,
        batch=32,
        seed=bytes(32),
        init=Init.Beacon(),
        trainable=[],
        dp=None,
        shuffle=True,
        shards=1,
    )
    return replace(base, **changes)


def policy(**changes: Any) -> Policy:
    base = Policy(
        without_dp=WithoutDp.Anyone(),
        given_weights=GivenWeights.UnderDp(),
        rho_budget=0,
        sigma_min_milli=1000,
        min_rows=1,
        params_per_row_milli=10**6,
        losses=[Loss.CrossEntropy],
        optimizers=[OptimizerKind.Sgd],
        rate_min=specs.float_bits(1e-4),
        rate_max=specs.float_bits(1.0),
        epochs_max=100,
        metrics=[],
    )
    return replace(base, **changes)


# --- schemas


@pytest.mark.parametrize(
    ("bad", "name"),
    [
        (schema(), "BadSchema"),
        (schema(column(), column()), "BadSchema"),
        (schema(column(b"")), "BadColumn"),
        (schema(column(b"\xff\xfe")), "BadColumn"),
        (schema(column(shape=(2, 0))), "BadColumn"),
        (schema(column(dtype=Dtype.Utf8, shape=(2,))), "BadColumn"),
        (schema(column(shape=(2**32 - 1, 2**32 - 1))), "BadColumn"),
        (schema(column(), rows_per_chunk=0), "BadSchema"),
        (schema(column(), rows_per_chunk=65_537), "ChunkTooLarge"),
        (schema(column(dtype=Dtype.F64, shape=(64,)), rows_per_chunk=129), "ChunkTooLarge"),
        (schema(column(dtype=Dtype.Utf8), rows_per_chunk=65_537), "ChunkTooLarge"),
    ],
)
def test_bad_schemas_are_refused_by_name(bad: Schema, name: str) -> None:
    with pytest.raises(DataError) as refusal:
        data.check_schema(bad)
    assert refusal.value.name == name


def test_a_good_schema_counts_its_bytes_rows_and_chunks() -> None:
    good = schema(column(b"image", Dtype.F32, (1, 8, 8)), column(b"label", Dtype.I64))
    data.check_schema(good)
    assert good.row_bytes == 264
    assert data.chunk_count(good, 21) == 3
    assert [data.chunk_rows(good, 21, i) for i in range(3)] == [10, 10, 1]
    assert good.column(b"label").dtype == Dtype.I64
    assert data.default_rows_per_chunk(good.columns) == 65_536 // 264
    assert schema(column(dtype=Dtype.Utf8)).row_bytes is None
    for call in (
        lambda: data.chunk_rows(good, 21, 3),
        lambda: data.chunk_rows(good, 21, -1),
        lambda: data.chunk_count(good, 0),
        lambda: data.chunk_count(schema(column(), rows_per_chunk=1), 2**33),
        lambda: good.column(b"none"),
    ):
        with pytest.raises(DataError):
            call()


@pytest.mark.parametrize(
    "full",
    [
        schema(column(), rows_per_chunk=65_536),
        schema(column(dtype=Dtype.F64, shape=(64,)), rows_per_chunk=128),
        schema(column(dtype=Dtype.Utf8), rows_per_chunk=65_536),
    ],
)
def test_a_chunk_may_be_full_to_the_byte(full: Schema) -> None:
    data.check_schema(full)


@pytest.mark.parametrize(("rows_per_chunk", "most"), [(1, 2**32 - 1), (2**16, 2**40), (2**8, 2**40 - 2**8)])
def test_a_dataset_has_no_more_rows_or_chunks_than_it_may(rows_per_chunk: int, most: int) -> None:
    long = schema(column(), rows_per_chunk=rows_per_chunk)
    assert data.chunk_count(long, most) == -(-most // rows_per_chunk)
    with pytest.raises(DataError) as refusal:
        data.chunk_count(long, most + 1)
    assert refusal.value.name == "TooManyRows"


def test_the_losses_of_a_sum_name_so_many_weights_of_classes_together() -> None:
    def weighted(count: int) -> specs.LossTerm:
        loss = LossSpec.WeightedCrossEntropy(
            weights=[specs.float_bits(1.0)] * count, smoothing=0, ignore=None, probabilities=False
        )
        return specs.LossTerm(target=spec().target, loss=loss, weight_num=1, weight_den=1)

    most = specs.CLASSES_MAX
    specs.check_spec(spec(loss=LossSpec.Sum(terms=[weighted(1), weighted(most - 1)])))
    with pytest.raises(specs.SpecError) as refusal:
        specs.check_spec(spec(loss=LossSpec.Sum(terms=[weighted(2), weighted(most - 1)])))
    assert refusal.value.name == "BadLoss"


def test_the_schema_hash_binds_every_part() -> None:
    parts = [
        schema(column(b"a")),
        schema(column(b"b")),
        schema(column(b"a", Dtype.I8)),
        schema(column(b"a", shape=(1,))),
        schema(column(b"a"), rows_per_chunk=11),
        schema(column(b"a"), column(b"b")),
    ]
    assert len({part.hash for part in parts}) == len(parts)


# --- blobs


@given(st.binary(min_size=1, max_size=2000))
def test_a_blob_is_known_by_its_pieces(content: bytes) -> None:
    parts = data.pieces(content)
    hashes = [data.piece_hash(i, part) for i, part in enumerate(parts)]
    assert b"".join(parts) == content
    assert data.blob_hash(content) == data.blob_hash_of(len(content), hashes)
    assert data.blob_hash(content) == tagged("blob", len(content).to_bytes(8, "little"), *hashes)


def test_blob_bounds() -> None:
    assert data.piece_count(data.BLOB_MAX) == 256
    assert data.piece_length(data.PIECE + 1, 0) == data.PIECE
    assert data.piece_length(data.PIECE + 1, 1) == 1
    for bad in (lambda: data.piece_count(0), lambda: data.piece_count(data.BLOB_MAX + 1)):
        with pytest.raises(DataError):
            bad()
    with pytest.raises(DataError):
        data.piece_length(5, 1)
    with pytest.raises(DataError):
        data.blob_hash_of(5, [])


# --- specifications


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"version": 2}, "UnknownVersion"),
        ({"numerics": 9999}, "UnknownNumerics"),
        ({"epochs": 0}, "BadBatch"),
        ({"batch": 0}, "BadBatch"),
        ({"shards": 0}, "BadBatch"),
        ({"shards": 5}, "BadBatch"),
        ({"inputs": []}, "BadName"),
        ({"inputs": [specs.InputMap(column=b"x", tensor=b"in", affine=None)] * 2}, "BadName"),
        ({"inputs": [specs.InputMap(column=b"\xff", tensor=b"in", affine=None)]}, "BadName"),
        ({"trainable": [b"w", b"w"]}, "BadName"),
        ({"trainable": [b""]}, "BadName"),
        ({"target": specs.Target(column=b"", tensor=b"out")}, "BadName"),
        ({"optimizer": OptimizerSpec.Sgd(rate=0, momentum=0)}, "BadRate"),
        ({"optimizer": OptimizerSpec.Sgd(rate=specs.float_bits(float("inf")), momentum=0)}, "BadRate"),
        ({"optimizer": OptimizerSpec.Sgd(rate=0x7FC0_0000, momentum=0)}, "BadRate"),
        ({"optimizer": OptimizerSpec.Sgd(rate=specs.float_bits(-0.1), momentum=0)}, "BadRate"),
        ({"optimizer": OptimizerSpec.Sgd(rate=1, momentum=specs.float_bits(1.0))}, "BadRate"),
        ({"dp": specs.Dp(clip_num=0, clip_den=1, sigma_milli=1)}, "BadDp"),
        ({"dp": specs.Dp(clip_num=1, clip_den=0, sigma_milli=1)}, "BadDp"),
        ({"dp": specs.Dp(clip_num=1, clip_den=1, sigma_milli=0)}, "BadDp"),
        ({"dp": specs.Dp(clip_num=1, clip_den=1, sigma_milli=1), "epochs": 65_535}, "BadDp"),
    ],
)
def test_bad_specifications_are_refused_by_name(changes: dict[str, Any], name: str) -> None:
    with pytest.raises(SpecError) as refusal:
        specs.check_spec(spec(**changes))
    assert refusal.value.name == name


def test_infinite_affine_numbers_are_refused() -> None:
    affine = specs.Affine(mean=specs.float_bits(float("inf")), scale=0)
    with pytest.raises(SpecError):
        specs.check_spec(spec(inputs=[specs.InputMap(column=b"x", tensor=b"in", affine=affine)]))


def test_a_good_specification_passes_round_trips_and_is_bound_by_its_hash() -> None:
    good = spec()
    specs.check_spec(good)
    assert decode(TrainingSpec, encode(TrainingSpec, good)) == good
    changed = [
        spec(epochs=4),
        spec(seed=b"\1" * 32),
        spec(shuffle=False),
        spec(trainable=[b"w"]),
        spec(shards=2),
    ]
    assert len({item.hash for item in [good, *changed]}) == 6


@given(st.floats(width=32, allow_nan=False))
def test_float_bits_are_exact(value: float) -> None:
    assert specs.bits_float(specs.float_bits(value)) == value
    assert specs.float_bits(value) == struct.unpack("<I", struct.pack("<f", value))[0]


def test_rho_is_rounded_up_and_matches_the_reference() -> None:
    dp = specs.Dp(clip_num=1, clip_den=1, sigma_milli=4000)
    assert specs.rho_nano(spec(dp=dp, epochs=10)) == 312_500_000
    assert specs.rho_nano(spec(dp=replace(dp, sigma_milli=3000), epochs=1)) == 55_555_556
    assert specs.rho_nano(spec()) == 0


# --- prices


@given(st.integers(0, 2**128 - 1), st.integers(0, 2**64), st.integers(0, 2**64), st.integers(0, 2**64))
def test_price_rounds_each_part_up(base: int, per_gwork: int, work: int, rho: int) -> None:
    tariff = data.Tariff(base=base, per_gwork=per_gwork, per_rho=7)
    price = job.price(tariff, work, rho)
    exact = base * 10**9 + work * per_gwork + rho * 7
    assert exact <= price * 10**9 < exact + 2 * 10**9


def test_the_fee_is_two_percent_rounded_up() -> None:
    assert [job.fee(amount) for amount in (0, 1, 50, 51, 100, 10**12)] == [0, 1, 1, 2, 2, 2 * 10**10]


# --- policies

RATE = specs.rate_bits(spec().optimizer)
TERMS = [
    specs.LossTerm(target=spec().target, loss=kind(), weight_num=1, weight_den=1)
    for kind in (specs.LossSpec.CrossEntropy, specs.LossSpec.MeanSquaredError)
]
"""One loss that the policy lists, one that it does not."""


@pytest.mark.parametrize(
    ("rules", "wish", "reason"),
    [
        ({}, {}, None),
        ({"without_dp": WithoutDp.Never()}, {}, RejectReason.DpRequired),
        ({"without_dp": WithoutDp.Trusted(accounts=[STRANGER])}, {}, RejectReason.DpRequired),
        ({"without_dp": WithoutDp.Trusted(accounts=[STRANGER, BUYER])}, {}, None),
        ({}, {"dp": specs.Dp(clip_num=1, clip_den=1, sigma_milli=999)}, RejectReason.DpRequired),
        (
            {"without_dp": WithoutDp.Never()},
            {"dp": specs.Dp(clip_num=1, clip_den=1, sigma_milli=1000), "init": Init.Given()},
            None,
        ),
        ({}, {"init": Init.Given()}, RejectReason.GivenWeightsForbidden),
        ({"given_weights": GivenWeights.Trusted(accounts=[BUYER])}, {"init": Init.Given()}, None),
        (
            {"given_weights": GivenWeights.Trusted(accounts=[STRANGER])},
            {"init": Init.Given()},
            RejectReason.GivenWeightsForbidden,
        ),
        ({"given_weights": GivenWeights.Never()}, {"init": Init.Given()}, RejectReason.GivenWeightsForbidden),
        ({"min_rows": 101}, {}, RejectReason.TooFewRows),
        ({"losses": [Loss.MeanSquaredError]}, {}, RejectReason.PolicyForbids),
        ({"optimizers": []}, {}, RejectReason.PolicyForbids),
        ({"epochs_max": 2}, {}, RejectReason.PolicyForbids),
        ({"rate_max": specs.float_bits(0.05)}, {}, RejectReason.PolicyForbids),
        ({"rate_min": specs.float_bits(0.5)}, {}, RejectReason.PolicyForbids),
        # Each bound is allowed itself, and what is one beyond it is not.
        ({"min_rows": 100}, {}, None),
        ({"epochs_max": 10}, {"epochs": 10}, None),
        ({"epochs_max": 10}, {"epochs": 11}, RejectReason.PolicyForbids),
        ({"rate_min": RATE, "rate_max": RATE}, {}, None),
        ({"rate_min": RATE + 1}, {}, RejectReason.PolicyForbids),
        ({"rate_max": RATE - 1}, {}, RejectReason.PolicyForbids),
        ({}, {"dp": specs.Dp(clip_num=1, clip_den=1, sigma_milli=1000)}, None),
        ({}, {"loss": specs.LossSpec.Sum(terms=TERMS)}, RejectReason.PolicyForbids),
        ({"losses": list(Loss)}, {"loss": specs.LossSpec.Sum(terms=TERMS)}, None),
    ],
)
def test_policies_judge(rules: dict[str, Any], wish: dict[str, Any], reason: RejectReason | None) -> None:
    assert job.policy_breach(policy(**rules), spec(**wish), BUYER, 100) == reason


# --- receipts


def receipt(**changes: Any) -> job.Receipt:
    base = job.Receipt(
        version=1,
        genesis=bytes(32),
        job=1,
        dataset_root=bytes(32),
        model_hash=bytes(32),
        spec_hash=bytes(32),
        module_hash=bytes(32),
        numerics=1,
        executor_version=b"1",
        weights_hash=bytes(32),
        steps=1,
        fuel=1,
        noise_commit=None,
        metrics=[],
        outcome=job.Outcome.Completed,
        salt=bytes(32),
        provider=bytes(32),
        scheme=1,
        signature=b"x" * 64,
    )
    return replace(base, **changes)


def test_a_signature_covers_all_but_itself_and_the_commitment_covers_all() -> None:
    plain = receipt()
    assert job.receipt_message(receipt(signature=b"y" * 64)) == job.receipt_message(plain)
    assert job.receipt_message(receipt(salt=b"\1" * 32)) != job.receipt_message(plain)
    assert job.result_commitment(receipt(signature=b"y" * 64)) != job.result_commitment(plain)
    assert job.result_commitment(receipt(salt=b"\1" * 32)) != job.result_commitment(plain)
