"""Market: what is for rent on which terms, and the money between two parties who do not trust each other.

The escrow keeps one `Deal` a job: the buyer's price and fee on hold, later the provider's bond on hold.
Each deal ends by exactly one of `settle`, `refund` and `slash`, and none of the three can fail: whatever
moves was held before, held money keeps its account alive, and a price or a bond is never below the
existential deposit. Fees are burned.

Money that is held cannot be reached by transfers, other holds or freezes, so the other party's state does
not matter.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from typing import Protocol

from frame import Error, Event, Origin, Pallet, StorageMap, Weight, call, invariant
from frame.traits import Currency
from pallets.market.weights import Weights
from primitives.data import COLUMNS_MAX, Terms, Windows
from primitives.scale import U32, U64, U128, AccountId, Struct, replace

SECOND = 1_000
DAY = 24 * 3_600 * SECOND


class Listing(Struct, path="pallet_market::Listing"):
    """Who offers a dataset, and on what terms."""

    owner: AccountId
    terms: Terms


class Deal(Struct, path="pallet_market::Deal"):
    """Money held for one job: `price` and `fee` from the buyer, `bond` from the provider (0 before the job
    is accepted)."""

    buyer: AccountId
    provider: AccountId
    price: U128
    fee: U128
    bond: U128


class Datasets(Protocol):
    """What the market asks about datasets."""

    def active(self, id: int) -> object | None:
        """The dataset when it takes jobs."""
        ...

    def owner(self, id: int) -> bytes | None:
        """Who registered the dataset."""
        ...

    def columns(self, id: int) -> int:
        """The number of columns of its schema: what reading its record costs."""
        ...


@dataclass(frozen=True)
class Config:
    """What the runtime decides.

    min_window: The shortest time that a listing may leave for a step, in ms.
    max_window: The longest, in ms.
    """

    currency: Currency
    datasets: Datasets
    min_window: U64 = SECOND
    max_window: U64 = 30 * DAY


class Market(Pallet[Config], weights=Weights):
    """Listings, and the escrow that jobs settle through."""

    listings = StorageMap[U32, Listing](doc="What is for rent.")
    deals = StorageMap[U32, Deal](doc="The money held for each open job.")

    class HoldReason(IntEnum):
        """Why this pallet holds money."""

        Payment = 0
        Bond = 1

    class Listed(Event):
        """A dataset is for rent on these terms."""

        dataset: U32
        owner: AccountId
        terms: Terms

    class Unlisted(Event):
        """A dataset is no longer for rent; open jobs go on."""

        dataset: U32

    class NoSuchDataset(Error):
        """There is no dataset of that number."""

    class NotYourDataset(Error):
        """Only the owner of a dataset lists it."""

    class NotActive(Error):
        """The dataset is closing or closed."""

    class WindowOutOfRange(Error):
        """A window is shorter or longer than the runtime allows."""

    class NotListed(Error):
        """The dataset is not for rent."""

    @call(0, weight=lambda: Weights.list(COLUMNS_MAX))
    def list(self, origin: Origin, dataset: U32, terms: Terms) -> Weight:
        """Offer your dataset on these terms, or change them. Open jobs keep the terms they were submitted
        under."""
        who = origin.signed()
        self._check_owner(dataset, who)
        if self.config.datasets.active(dataset) is None:
            raise self.NotActive()
        assert isinstance(terms, Terms.Rent)
        self._check_windows(terms.windows)

        self.listings[dataset] = Listing(owner=who, terms=terms)
        self.deposit(self.Listed(dataset=dataset, owner=who, terms=terms))
        return Weights.list(self.config.datasets.columns(dataset))

    @call(1, weight=lambda: Weights.unlist(COLUMNS_MAX))
    def unlist(self, origin: Origin, dataset: U32) -> Weight:
        """Withdraw the offer. Open jobs go on."""
        who = origin.signed()
        self._check_owner(dataset, who)
        if dataset not in self.listings:
            raise self.NotListed()

        self.listings.remove(dataset)
        self.deposit(self.Unlisted(dataset=dataset))
        return Weights.unlist(self.config.datasets.columns(dataset))

    # --- the escrow, for other pallets ----------------------------------------------------------------

    def rent(self, dataset: int) -> Terms.Rent | None:
        """The terms on which a dataset is for rent now."""
        listing = self.listings.get(dataset)
        return listing.terms if listing is not None and isinstance(listing.terms, Terms.Rent) else None

    def minimum(self) -> int:
        """The least price and the least bond: an amount that can make an account."""
        return self.config.currency.minimum_balance()

    def can_pay(self, buyer: bytes, amount: int) -> bool:
        """Whether `open` would find this amount, fee included."""
        return self.config.currency.can_hold(self.reason(self.HoldReason.Payment), buyer, amount)

    def can_bond(self, provider: bytes, amount: int) -> bool:
        """Whether `bond` would find this amount."""
        return self.config.currency.can_hold(self.reason(self.HoldReason.Bond), provider, amount)

    def open(self, job: int, buyer: bytes, provider: bytes, price: int, fee: int) -> None:
        """Hold price and fee from the buyer. The caller has asked `can_pay`, and given price ≥
        `minimum()`."""
        self.config.currency.hold(self.reason(self.HoldReason.Payment), buyer, price + fee)
        self.deals[job] = Deal(buyer=buyer, provider=provider, price=price, fee=fee, bond=0)

    def bond(self, job: int, amount: int) -> None:
        """Hold the provider's bond. The caller has asked `can_bond`, and given amount ≥ `minimum()`."""
        deal = self.deals[job]
        self.config.currency.hold(self.reason(self.HoldReason.Bond), deal.provider, amount)
        self.deals[job] = replace(deal, bond=amount)

    def settle(self, job: int) -> None:
        """Price to the provider, fee burned, bond back."""
        deal = self._take(job)
        payment = self.reason(self.HoldReason.Payment)
        self._release_bond(deal, deal.bond)
        self.config.currency.transfer_on_hold(payment, deal.buyer, deal.provider, deal.price)
        self.config.currency.burn_held(payment, deal.buyer, deal.fee)

    def refund(self, job: int) -> None:
        """Price and fee back to the buyer, bond back to the provider."""
        deal = self._take(job)
        self._release_payment(deal)
        self._release_bond(deal, deal.bond)

    def slash(self, job: int, amount: int) -> None:
        """As `refund`, but `amount` of the bond goes to the buyer, whose own money is released first."""
        deal = self._take(job)
        self._release_payment(deal)
        if amount:
            bond = self.reason(self.HoldReason.Bond)
            self.config.currency.transfer_on_hold(bond, deal.provider, deal.buyer, amount)
        self._release_bond(deal, deal.bond - amount)

    def is_open(self, job: int) -> bool:
        """Whether money is held for this job."""
        return job in self.deals

    # --- inside ---------------------------------------------------------------------------------------

    def _take(self, job: int) -> Deal:
        deal = self.deals[job]
        self.deals.remove(job)
        return deal

    def _release_payment(self, deal: Deal) -> None:
        self.config.currency.release(self.reason(self.HoldReason.Payment), deal.buyer, deal.price + deal.fee)

    def _release_bond(self, deal: Deal, amount: int) -> None:
        if amount:
            self.config.currency.release(self.reason(self.HoldReason.Bond), deal.provider, amount)

    def _check_owner(self, dataset: int, who: bytes) -> None:
        owner = self.config.datasets.owner(dataset)
        if owner is None:
            raise self.NoSuchDataset()
        if owner != who:
            raise self.NotYourDataset()

    def _check_windows(self, windows: Windows) -> None:
        for window in (windows.accept_ms, windows.result_ms, windows.confirm_ms):
            if not self.config.min_window <= window <= self.config.max_window:
                raise self.WindowOutOfRange()

    def held_deposits(self) -> Iterator[tuple[IntEnum, bytes, int]]:
        """What every deal holds from its parties."""
        for deal in self.deals.values():
            yield self.HoldReason.Payment, deal.buyer, deal.price + deal.fee
            yield self.HoldReason.Bond, deal.provider, deal.bond

    def open_deals(self) -> Iterator[int]:
        """The jobs that money is held for; for checks of the state, never in a block."""
        return self.deals.keys()

    @invariant
    def listings_are_the_owners(self) -> Iterator[str]:
        """What is listed exists, and was listed by its owner."""
        for dataset, listing in self.listings.items():
            if self.config.datasets.owner(dataset) != listing.owner:
                yield f"dataset {dataset} is listed by {listing.owner.hex()}, who does not own it"

    @invariant
    def deals_can_be_paid_out(self) -> Iterator[str]:
        """A price can make an account, and nobody deals with themselves."""
        for job, deal in self.deals.items():
            if deal.price < self.minimum() or 0 < deal.bond < self.minimum():
                yield f"job {job}: a price of {deal.price} or a bond of {deal.bond} cannot be paid out"
            if deal.buyer == deal.provider:
                yield f"job {job}: buyer and provider are one"
