"""The Gristmill runtime: its pallets, their configuration, its extensions and APIs."""

from __future__ import annotations

from runtime.gristmill import GristmillRuntime, runtime

__all__ = ["GristmillRuntime", "runtime"]
