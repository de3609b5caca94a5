"""Datasets and blobs as bytes: schema, chunks, policy, tariffs, content hashes.

Rules (shared by pallets, executor and client; no floats, no numpy here):

* A dataset is a table. A row is its columns in order, each in C order, little-endian, without padding; a
  `Utf8` value is Compact(length) ‖ NFC bytes. A chunk is `rows_per_chunk` rows (the last one shorter), ≤ 64
  KiB.
* A blob is cut into pieces of 256 KiB (the last one shorter). `piece_hash = tagged("piece", u32 index ‖
  bytes)` and `blob_hash = tagged("blob", u64 length ‖ piece hashes)`: the piece hashes alone tell the blob's
  hash.

Errors: `DataError(name, message)`; `name` is stable and is what pallets and tools show.
"""

from enum import IntEnum
from typing import Annotated

from primitives.hashing import tagged
from primitives.scale import (
    H256,
    U16,
    U32,
    U64,
    U128,
    AccountId,
    Enum,
    MaxLen,
    Struct,
    Variant,
    encode,
)

CHUNK_MAX = 65_536
"""Largest encoded chunk, in bytes: it must fit one complaint (see the market's fair exchange)."""
COLUMNS_MAX = 256
NAME_MAX = 64
DIMS_MAX = 4
TRUSTED_MAX = 64
ROWS_MAX = 2**40
"""Largest number of rows of one dataset."""
CHUNKS_MAX = 2**32 - 1

PIECE = 262_144
"""Bytes of one blob piece."""
BLOB_MAX = 64 * 2**20
"""Largest blob, in bytes. The runtime may allow less, never more."""


class DataError(ValueError):
    """Bytes or a description against the rules. `name` is stable, the message is for people."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(message)
        self.name = name


# --- tables -------------------------------------------------------------------------------------------------


class Dtype(IntEnum):
    """Element type of a column; the number is its SCALE tag."""

    __scale_path__ = "gristmill_primitives::data::Dtype"

    U8 = 0
    I8 = 1
    U16 = 2
    I16 = 3
    U32 = 4
    I32 = 5
    U64 = 6
    I64 = 7
    F32 = 8
    F64 = 9
    Bool = 10
    Utf8 = 11


ITEM_SIZE: dict[Dtype, int] = {
    Dtype.U8: 1,
    Dtype.I8: 1,
    Dtype.U16: 2,
    Dtype.I16: 2,
    Dtype.U32: 4,
    Dtype.I32: 4,
    Dtype.U64: 8,
    Dtype.I64: 8,
    Dtype.F32: 4,
    Dtype.F64: 8,
    Dtype.Bool: 1,
}
"""Bytes of one element; `Utf8` is absent because its length varies."""

Name = Annotated[bytes, MaxLen(NAME_MAX)]
"""A column's name: UTF-8, 1 to 64 bytes."""


class Column(Struct, path="gristmill_primitives::data::Column"):
    """One column: UTF-8 name, element type, and the shape of one row's value (empty for a scalar)."""

    name: Name
    dtype: Dtype
    shape: Annotated[list[U32], MaxLen(DIMS_MAX)]

    @property
    def elements(self) -> int:
        """Number of elements of one row's value."""
        count = 1
        for size in self.shape:
            count *= size
        return count

    @property
    def row_bytes(self) -> int | None:
        """Encoded bytes of one row's value; None where it varies (`Utf8`)."""
        return None if self.dtype == Dtype.Utf8 else self.elements * ITEM_SIZE[Dtype(self.dtype)]


class Schema(Struct, path="gristmill_primitives::data::Schema"):
    """The ordered columns of a dataset and how many rows make a chunk."""

    columns: Annotated[list[Column], MaxLen(COLUMNS_MAX)]
    rows_per_chunk: U32

    @property
    def hash(self) -> bytes:
        """`schema_hash = H("gm/schema" ‖ columns ‖ rows_per_chunk)`."""
        return tagged("schema", encode(Schema, self))

    @property
    def row_bytes(self) -> int | None:
        """Encoded bytes of one row; None when a column has no fixed size."""
        total = 0
        for column in self.columns:
            size = column.row_bytes
            if size is None:
                return None
            total += size
        return total

    def column(self, name: bytes) -> Column:
        """The column of that name. Raises DataError UnknownColumn."""
        for column in self.columns:
            if column.name == name:
                return column
        raise DataError("UnknownColumn", f"the dataset has no column {name.decode(errors='replace')!r}")


def check_schema(schema: Schema) -> None:
    """Refuse a schema that breaks the rules: DataError BadColumn, BadSchema or ChunkTooLarge."""
    if not schema.columns:
        raise DataError("BadSchema", "a schema needs at least one column")
    if len({column.name for column in schema.columns}) != len(schema.columns):
        raise DataError("BadSchema", "two columns have the same name")
    for column in schema.columns:
        _check_column(column)
    least = sum(1 if column.row_bytes is None else column.row_bytes for column in schema.columns)
    if schema.rows_per_chunk < 1:
        raise DataError("BadSchema", "a chunk holds at least one row")
    if least * schema.rows_per_chunk > CHUNK_MAX:
        raise DataError("ChunkTooLarge", f"a chunk of {schema.rows_per_chunk} rows is over {CHUNK_MAX} bytes")


def _check_column(column: Column) -> None:
    try:
        column.name.decode("utf-8")
    except UnicodeDecodeError:
        raise DataError("BadColumn", "a column name is not UTF-8") from None
    if not 1 <= len(column.name) <= NAME_MAX:
        raise DataError("BadColumn", f"a column name has 1 to {NAME_MAX} bytes")
    if len(column.shape) > DIMS_MAX or any(size < 1 for size in column.shape):
        raise DataError("BadColumn", f"a column has at most {DIMS_MAX} dimensions, each at least 1")
    if column.dtype == Dtype.Utf8 and column.shape:
        raise DataError("BadColumn", "a text column has no shape")
    if column.elements > CHUNK_MAX:
        raise DataError("BadColumn", "one value is larger than a chunk")


def chunk_count(schema: Schema, rows: int) -> int:
    """Chunks that `rows` rows make. Raises DataError NoRows, or TooManyRows if no dataset is so long."""
    if rows < 1:
        raise DataError("NoRows", "a dataset has at least one row")
    chunks = -(-rows // schema.rows_per_chunk)
    if rows > ROWS_MAX or chunks > CHUNKS_MAX:
        raise DataError("TooManyRows", f"{rows} rows are more than a dataset may have")
    return chunks


def chunk_rows(schema: Schema, rows: int, index: int) -> int:
    """Rows in chunk `index` of a dataset with `rows` rows. Raises DataError NoSuchChunk."""
    if not 0 <= index < chunk_count(schema, rows):
        raise DataError("NoSuchChunk", f"there is no chunk {index}")
    return min(schema.rows_per_chunk, rows - index * schema.rows_per_chunk)


def default_rows_per_chunk(columns: list[Column]) -> int:
    """The most rows that are sure to fit a chunk; 64 where a column's size varies."""
    sizes = [column.row_bytes for column in columns]
    known = sum(size for size in sizes if size is not None)
    most = max(1, CHUNK_MAX // max(1, known))
    return min(most, 64) if None in sizes else most


# --- a dataset's policy and terms ---------------------------------------------------------------------------


class DatasetKind(IntEnum):
    """Whether rows are there from the start or keep arriving."""

    __scale_path__ = "gristmill_primitives::data::DatasetKind"

    Static = 0
    Stream = 1


class DatasetState(IntEnum):
    """`Closing` takes no new jobs; `Closed` has none left."""

    __scale_path__ = "gristmill_primitives::data::DatasetState"

    Active = 0
    Closing = 1
    Closed = 2


class Loss(IntEnum):
    """Loss menu, as a policy lists it; `job.LossSpec` holds each loss's options and says what it computes."""

    __scale_path__ = "gristmill_primitives::data::Loss"

    CrossEntropy = 0
    MeanSquaredError = 1
    BinaryCrossEntropy = 2
    MeanAbsoluteError = 3
    Huber = 4
    SmoothL1 = 5
    KlDivergence = 6


class OptimizerKind(IntEnum):
    """Optimizer menu; parameters are in `job.OptimizerSpec`, whose variants have these numbers."""

    __scale_path__ = "gristmill_primitives::data::OptimizerKind"

    Sgd = 0
    Momentum = 1
    Adam = 2
    AdamW = 3
    RmsProp = 4
    Adagrad = 5


class Metric(IntEnum):
    """What a receipt may tell about the run: the mean training loss over the first or the last epoch."""

    __scale_path__ = "gristmill_primitives::data::Metric"

    FirstEpochLoss = 0
    LastEpochLoss = 1


Accounts = Annotated[list[AccountId], MaxLen(TRUSTED_MAX)]


class WithoutDp(Enum, path="gristmill_primitives::data::WithoutDp"):
    """Who may train without differential privacy (whose weights may then memorise rows)."""

    class Never(Variant, index=0):
        """Nobody: every job must carry a DP section."""

    class Trusted(Variant, index=1):
        """These buyers only."""

        accounts: Accounts

    class Anyone(Variant, index=2):
        """Everyone. Say so only when the rows may be reconstructed from weights by a skilled buyer."""


class GivenWeights(Enum, path="gristmill_primitives::data::GivenWeights"):
    """Who may start from weights of their own choosing (which can be built to carry rows out)."""

    class Never(Variant, index=0):
        """Nobody: initial weights come from the beacon or a registered base model."""

    class UnderDp(Variant, index=1):
        """Everyone whose job is differentially private."""

    class Trusted(Variant, index=2):
        """These buyers only."""

        accounts: Accounts


class Policy(Struct, path="gristmill_primitives::data::Policy"):
    """What a provider lets jobs do with a dataset. A change never touches open jobs.

    `rho_budget` is in nano-ρ (zCDP) over the dataset's life; `sigma_min_milli` the least noise
    multiplier × 1000; `params_per_row_milli` the most trainable parameters per row × 1000; `rate_min` and
    `rate_max` are the 32-bit patterns of positive floats.
    """

    without_dp: WithoutDp
    given_weights: GivenWeights
    rho_budget: U64
    sigma_min_milli: U32
    min_rows: U32
    params_per_row_milli: U32
    losses: Annotated[list[Loss], MaxLen(16)]
    optimizers: Annotated[list[OptimizerKind], MaxLen(16)]
    rate_min: U32
    rate_max: U32
    epochs_max: U16
    metrics: Annotated[list[Metric], MaxLen(16)]


class Tariff(Struct, path="gristmill_primitives::data::Tariff"):
    """Price of a job in smallest units: `base` + per 10⁹ units of work + per 10⁹ nano-ρ. See `job.price`."""

    base: U128
    per_gwork: U128
    per_rho: U128


class Windows(Struct, path="gristmill_primitives::data::Windows"):
    """How long each step of a job may take, in milliseconds from the step before."""

    accept_ms: U64
    result_ms: U64
    confirm_ms: U64


class Terms(Enum, path="gristmill_primitives::data::Terms"):
    """On what terms a dataset is listed."""

    class Rent(Variant, index=0):
        """Train on it where it is, priced by work and privacy."""

        tariff: Tariff
        windows: Windows


# --- blobs --------------------------------------------------------------------------------------------------

Piece = Annotated[bytes, MaxLen(PIECE)]
PieceHashes = Annotated[list[H256], MaxLen(BLOB_MAX // PIECE)]


def piece_count(length: int) -> int:
    """Pieces of a blob of `length` bytes. Raises DataError EmptyBlob or BlobTooLarge."""
    if length < 1:
        raise DataError("EmptyBlob", "a blob has at least one byte")
    if length > BLOB_MAX:
        raise DataError("BlobTooLarge", f"a blob of {length} bytes is over {BLOB_MAX}")
    return -(-length // PIECE)


def piece_length(length: int, index: int) -> int:
    """Bytes of piece `index` of a blob of `length` bytes. Raises DataError NoSuchPiece."""
    if not 0 <= index < piece_count(length):
        raise DataError("NoSuchPiece", f"there is no piece {index}")
    return min(PIECE, length - index * PIECE)


def pieces(data: bytes) -> list[bytes]:
    """A blob's pieces in order."""
    return [data[i * PIECE : (i + 1) * PIECE] for i in range(piece_count(len(data)))]


def piece_hash(index: int, data: bytes) -> bytes:
    """`H("gm/piece" ‖ u32 index ‖ bytes)`."""
    return tagged("piece", index.to_bytes(4, "little"), data)


def blob_hash_of(length: int, hashes: list[bytes]) -> bytes:
    """`H("gm/blob" ‖ u64 length ‖ piece hashes)`. Raises DataError WrongPieces when their number is wrong."""
    if len(hashes) != piece_count(length):
        raise DataError("WrongPieces", f"{length} bytes make {piece_count(length)} pieces, not {len(hashes)}")
    return tagged("blob", length.to_bytes(8, "little"), *hashes)


def blob_hash(data: bytes) -> bytes:
    """Content hash of a blob."""
    return blob_hash_of(len(data), [piece_hash(i, piece) for i, piece in enumerate(pieces(data))])
