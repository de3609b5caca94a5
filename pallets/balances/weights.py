"""Weights of the pallet `balances`, measured. Do not edit, but run
`gristmill benchmark pallet --pallet balances`.

2026-11-23, AMD EPYC, 2 cores, CPython 3.11.7
steps 50, repeat 20
"""

from __future__ import annotations

from frame.weights import Weight, db, weight


class Weights:
    """One function a benchmark."""

    @staticmethod
    def transfer_allow_death() -> Weight:
        """Time ~= 76.6 µs.

        `System::Account` (r:2 w:2)
        """
        return weight(76_654_000, 5_206) + db(2, 2)

    @staticmethod
    def transfer_keep_alive() -> Weight:
        """Time ~= 56.6 µs.

        `System::Account` (r:2 w:2)
        """
        return weight(56_686_000, 5_206) + db(2, 2)

    @staticmethod
    def force_transfer() -> Weight:
        """Time ~= 70.5 µs.

        `System::Account` (r:2 w:2)
        """
        return weight(70_512_000, 5_206) + db(2, 2)

    @staticmethod
    def transfer_all() -> Weight:
        """Time ~= 63.1 µs.

        `System::Account` (r:2 w:2)
        """
        return weight(63_148_000, 5_206) + db(2, 2)

    @staticmethod
    def force_unreserve() -> Weight:
        """Time ~= 34.7 µs.

        `Balances::Holds` (r:1 w:0)
        `System::Account` (r:1 w:1)
        """
        return weight(34_725_000, 6_027) + db(2, 1)

    @staticmethod
    def upgrade_accounts(u: int) -> Weight:
        """Time ~= 828.4 + u 15.722 µs.

        `System::Account` (r:1000 w:1000)
        """
        return weight(828_406_000 + 15_722_000 * u, 2_603 * u) + db(u, u)

    @staticmethod
    def force_set_balance_creating() -> Weight:
        """Time ~= 47.0 µs.

        `System::Account` (r:1 w:1)
        """
        return weight(47_028_000, 2_603) + db(1, 1)

    @staticmethod
    def force_set_balance_killing() -> Weight:
        """Time ~= 30.6 µs.

        `System::Account` (r:1 w:1)
        """
        return weight(30_607_000, 2_603) + db(1, 1)

    @staticmethod
    def force_adjust_total_issuance() -> Weight:
        """Time ~= 18.5 µs.

        `Balances::InactiveIssuance` (r:1 w:0)
        """
        return weight(18_525_000, 16) + db(1, 0)

    @staticmethod
    def burn_allow_death() -> Weight:
        """Time ~= 42.7 µs.

        `System::Account` (r:1 w:1)
        """
        return weight(42_721_000, 2_603) + db(1, 1)

    @staticmethod
    def burn_keep_alive() -> Weight:
        """Time ~= 27.8 µs.

        `System::Account` (r:1 w:1)
        """
        return weight(27_852_000, 2_603) + db(1, 1)
