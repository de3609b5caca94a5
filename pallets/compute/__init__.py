"""Jobs: training next to private data, from submission to settlement."""

from pallets.compute.pallet import Compute, Config
from pallets.compute.types import Job, Order, Role

__all__ = ["Compute", "Config", "Job", "Order", "Role"]
