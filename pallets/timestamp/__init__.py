"""The pallet `timestamp`: the time, as the author of each block puts it in. As Substrate's
pallet_timestamp.
"""

from __future__ import annotations

from pallets.timestamp.pallet import INHERENT, Config, Timestamp

__all__ = ["INHERENT", "Config", "Timestamp"]
