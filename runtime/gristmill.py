"""What the chain is made of. The indices are part of the chain's format and never change."""

from __future__ import annotations

from frame.extensions import standard
from frame.runtime import Runtime
from pallets.system import System
from pallets.timestamp import Timestamp


class GristmillRuntime(Runtime, spec_name="gristmill", spec_version=1):
    """The chain on which people share, sell and rent out data."""

    system = System(index=0)
    timestamp = Timestamp(index=1)

    extensions = standard()


def runtime() -> GristmillRuntime:
    """The runtime that a node runs. TypeError names the calls that have no weight."""
    made = GristmillRuntime()
    made.require_weights()
    return made
