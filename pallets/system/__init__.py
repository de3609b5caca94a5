"""The pallet `system`: accounts, blocks, events, limits. Storage, calls and events are those of
Substrate's frame_system.
"""

from __future__ import annotations

from pallets.system.pallet import Config, System

__all__ = ["Config", "System"]
