"""Listings, and the escrow that jobs settle through."""

from pallets.market.pallet import Config, Deal, Listing, Market

__all__ = ["Config", "Deal", "Listing", "Market"]
