"""Constants that `gristmill benchmark overhead` and `benchmark pallet --pallet extensions` have measured."""
