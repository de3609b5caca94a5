"""What the compute pallet asks of other pallets."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from primitives.data import Policy, Schema, Terms


class DatasetView(Protocol):
    """A dataset that takes jobs."""

    @property
    def owner(self) -> bytes:
        """Who provides it."""
        ...

    @property
    def schema(self) -> Schema:
        """Its columns."""
        ...

    @property
    def root(self) -> bytes:
        """Commitment to the rows of this version."""
        ...

    @property
    def rows(self) -> int:
        """Rows of this version."""
        ...

    @property
    def policy(self) -> Policy:
        """What new jobs may do."""
        ...


class DatasetRegistry(Protocol):
    """Datasets and their privacy ledgers."""

    def active(self, id: int) -> DatasetView | None:
        """The dataset when it takes jobs."""
        ...

    def columns(self, id: int) -> int:
        """The number of columns of its schema: what reading its record costs."""
        ...

    def rho_left(self, id: int) -> int:
        """Nano-ρ that new jobs may still reserve."""
        ...

    def open_job(self, id: int, rho: int) -> None:
        """A job begins and reserves its ρ."""
        ...

    def spend(self, id: int, rho: int) -> None:
        """Reserved ρ is spent for good."""
        ...

    def end_job(self, id: int, unspent: int) -> None:
        """A job ended; ρ that it did not spend goes back."""
        ...

    def in_use(self, id: int) -> tuple[int, int]:
        """Nano-ρ reserved, and the number of open jobs."""
        ...

    def ledgers(self) -> Iterator[tuple[int, tuple[int, int]]]:
        """What `in_use` says of each dataset in use; never in a block."""
        ...


class BlobStore(Protocol):
    """Content-addressed bytes."""

    def length(self, hash: bytes) -> int | None:
        """Bytes of a complete blob, else None."""
        ...

    def retain(self, hash: bytes) -> None:
        """Keep a complete blob."""
        ...

    def release(self, hash: bytes, still_wanted: bool = False) -> None:
        """Undo one `retain`; what is `still_wanted` can be fetched for some time yet."""
        ...

    def retained(self) -> Iterator[tuple[bytes, int]]:
        """What is retained, and how often; never in a block."""
        ...


class Escrow(Protocol):
    """Terms of rent, and the money of a job from submission to its end."""

    def rent(self, dataset: int) -> Terms.Rent | None:
        """The terms on which a dataset is for rent now."""
        ...

    def minimum(self) -> int:
        """The least price and the least bond."""
        ...

    def can_pay(self, buyer: bytes, amount: int) -> bool:
        """Whether `open` would find this amount, fee included."""
        ...

    def can_bond(self, provider: bytes, amount: int) -> bool:
        """Whether `bond` would find this amount."""
        ...

    def open(self, job: int, buyer: bytes, provider: bytes, price: int, fee: int) -> None:
        """Hold price and fee from the buyer."""
        ...

    def bond(self, job: int, amount: int) -> None:
        """Hold a bond from the provider."""
        ...

    def settle(self, job: int) -> None:
        """Price to the provider, fee burned, bond back. Never fails."""
        ...

    def refund(self, job: int) -> None:
        """Everything back to where it came from. Never fails."""
        ...

    def slash(self, job: int, amount: int) -> None:
        """As `refund`, but `amount` of the bond goes to the buyer. Never fails."""
        ...

    def is_open(self, job: int) -> bool:
        """Whether money is held for this job."""
        ...

    def open_deals(self) -> Iterator[int]:
        """The jobs that money is held for; never in a block."""
        ...


class FeeSink(Protocol):
    """What the protocol charges, and who remembers it."""

    def fee(self, price: int) -> int:
        """The fee on a price."""
        ...

    def burned(self, dataset: int, amount: int) -> None:
        """A settled job of this dataset burned a fee. Never fails."""
        ...
