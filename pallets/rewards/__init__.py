"""What the network pays to those whose data are used."""

from pallets.rewards.pallet import Config, Era, Rewards

__all__ = ["Config", "Era", "Rewards"]
