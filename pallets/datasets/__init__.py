"""Who holds which data, under what policy, and how much privacy is left."""

from pallets.datasets.pallet import Budget, Config, Dataset, Datasets

__all__ = ["Budget", "Config", "Dataset", "Datasets"]
