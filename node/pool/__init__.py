"""The transaction pool."""

from node.pool.errors import PoolError
from node.pool.pool import Limits, Pool, PoolConfig, Verdict
from node.pool.transaction import Phase, Status, Transaction

__all__ = ["Limits", "Phase", "Pool", "PoolConfig", "PoolError", "Status", "Transaction", "Verdict"]
