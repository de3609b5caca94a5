"""Weights of the pallet `balances`, set by hand until they are measured."""

from __future__ import annotations

from frame.weights import Weight, db, micros


class Weights:
    """One function a call."""

    @staticmethod
    def transfer_allow_death() -> Weight:
        """Two accounts."""
        return micros(50) + db(2, 2)

    @staticmethod
    def transfer_keep_alive() -> Weight:
        """Two accounts."""
        return micros(50) + db(2, 2)

    @staticmethod
    def force_transfer() -> Weight:
        """Two accounts."""
        return micros(50) + db(2, 2)

    @staticmethod
    def transfer_all() -> Weight:
        """Two accounts."""
        return micros(50) + db(2, 2)

    @staticmethod
    def force_unreserve() -> Weight:
        """One account and its holds."""
        return micros(30) + db(2, 1)

    @staticmethod
    def upgrade_accounts(u: int) -> Weight:
        """`u` accounts."""
        return micros(20 * u) + db(u, u)

    @staticmethod
    def force_set_balance_creating() -> Weight:
        """One account."""
        return micros(40) + db(1, 1)

    @staticmethod
    def force_set_balance_killing() -> Weight:
        """One account."""
        return micros(40) + db(1, 1)

    @staticmethod
    def force_adjust_total_issuance() -> Weight:
        """Two values."""
        return micros(15)

    @staticmethod
    def burn_allow_death() -> Weight:
        """One account."""
        return micros(40) + db(1, 1)

    @staticmethod
    def burn_keep_alive() -> Weight:
        """One account."""
        return micros(40) + db(1, 1)
