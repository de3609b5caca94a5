"""Datasets and their listings on the chain, typed."""

from dataclasses import dataclass

from client.chain import Chain, Signer
from client.errors import InputError
from primitives.data import DatasetKind, DatasetState, Policy, Schema, Tariff, Terms, Windows, chunk_count
from primitives.scale import H256, U32, U64, AccountId


@dataclass(frozen=True)
class Dataset:
    """A dataset as the chain has it."""

    owner: AccountId
    kind: DatasetKind
    schema: Schema
    root: H256
    rows: U64
    chunks: U32
    seal_pk: H256
    policy: Policy
    state: DatasetState


@dataclass(frozen=True)
class Budget:
    """Nano-ρ that open jobs have reserved and that finished jobs have spent."""

    reserved: U64
    spent: U64


@dataclass(frozen=True)
class Listing:
    """A dataset's offer."""

    owner: AccountId
    terms: Terms


@dataclass(frozen=True)
class Commitment:
    """What a provider says about rows that stay at home."""

    schema: Schema
    root: bytes
    rows: int


def read(chain: Chain, dataset: int) -> Dataset:
    """A dataset. Raises InputError NoSuchDataset."""
    found = chain.record(Dataset, "Datasets", "Datasets", dataset)
    if found is None:
        raise InputError("NoSuchDataset", f"the chain has no dataset {dataset}")
    return found


def listing(chain: Chain, dataset: int) -> Terms.Rent | None:
    """A dataset's rental terms, None when it is not for rent."""
    found = chain.record(Listing, "Market", "Listings", dataset)
    return found.terms if found is not None and isinstance(found.terms, Terms.Rent) else None


def budget(chain: Chain, dataset: int) -> Budget:
    """A dataset's privacy ledger."""
    return chain.record(Budget, "Datasets", "Ledger", dataset) or Budget(reserved=0, spent=0)


def every(chain: Chain) -> list[tuple[int, Dataset]]:
    """All datasets by number."""
    found = chain.entries(Dataset, "Datasets", "Datasets")
    return sorted(((int(keys[0]), dataset) for keys, dataset in found), key=lambda pair: pair[0])


def owned_with_root(chain: Chain, owner: bytes, root: bytes) -> int | None:
    """The number of `owner`'s dataset with this root, so that a registration is never made twice."""
    for number, dataset in every(chain):
        if (dataset.owner, dataset.root) == (owner, root) and dataset.state == DatasetState.Active:
            return number
    return None


def register(chain: Chain, signer: Signer, commitment: Commitment, seal_pk: bytes, policy: Policy) -> int:
    """Register a dataset; its number."""
    call = chain.call(
        "Datasets",
        "register",
        kind=DatasetKind.Static,
        schema=commitment.schema,
        root=commitment.root,
        rows=commitment.rows,
        chunks=chunk_count(commitment.schema, commitment.rows),
        seal_pk=seal_pk,
        policy=policy,
    )
    return int(chain.submit(signer, call).event("Datasets", "Registered")["id"])


def set_policy(chain: Chain, signer: Signer, dataset: int, policy: Policy) -> None:
    """Change the policy for future jobs."""
    chain.submit(signer, chain.call("Datasets", "set_policy", id=dataset, policy=policy))


def list_for_rent(chain: Chain, signer: Signer, dataset: int, tariff: Tariff, windows: Windows) -> None:
    """Offer a dataset for rent, or change the terms for future jobs."""
    terms = Terms.Rent(tariff=tariff, windows=windows)
    chain.submit(signer, chain.call("Market", "list", dataset=dataset, terms=terms))
