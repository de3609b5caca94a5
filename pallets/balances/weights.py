"""Weights of the pallet `balances`, measured. Do not edit, but run
`gristmill benchmark pallet --pallet balances`.

2026-11-25, AMD EPYC, 2 cores, CPython 3.11.7
steps 12, repeat 6
"""

from __future__ import annotations

from frame.weights import Weight, WeightTable, db, weight


class Weights(WeightTable):
    """One function a benchmark."""

    @staticmethod
    def transfer_allow_death() -> Weight:
        """Time ~= 185.4 µs. Minimum execution time: 121.2 µs.

        `System::Account` (r:2 w:2), at most 128 bytes an entry
        Proof: 5206 bytes at most, 709 measured.
        """
        return weight(185_417_000, 5_206) + db(2, 2)

    @staticmethod
    def transfer_keep_alive() -> Weight:
        """Time ~= 143.5 µs. Minimum execution time: 94.4 µs.

        `System::Account` (r:2 w:2), at most 128 bytes an entry
        Proof: 5206 bytes at most, 709 measured.
        """
        return weight(143_499_000, 5_206) + db(2, 2)

    @staticmethod
    def force_transfer() -> Weight:
        """Time ~= 126.3 µs. Minimum execution time: 113.9 µs.

        `System::Account` (r:2 w:2), at most 128 bytes an entry
        Proof: 5206 bytes at most, 709 measured.
        """
        return weight(126_306_000, 5_206) + db(2, 2)

    @staticmethod
    def transfer_all() -> Weight:
        """Time ~= 102.6 µs. Minimum execution time: 100.1 µs.

        `System::Account` (r:2 w:2), at most 128 bytes an entry
        Proof: 5206 bytes at most, 709 measured.
        """
        return weight(102_552_000, 5_206) + db(2, 2)

    @staticmethod
    def force_unreserve() -> Weight:
        """Time ~= 85.0 µs. Minimum execution time: 72.2 µs.

        `Balances::Holds` (r:1 w:0), at most 949 bytes an entry
        `System::Account` (r:1 w:1), at most 128 bytes an entry
        Proof: 6027 bytes at most, 850 measured.
        """
        return weight(85_018_000, 6_027) + db(2, 1)

    @staticmethod
    def upgrade_accounts(who: int) -> Weight:
        """Time ~= 361.4 + who 24.76 µs. Minimum execution time: 65.1 µs.

        `who` is in [1, 1000].

        `System::Account` (r:1000 w:1000), at most 128 bytes an entry
        Proof: 0 + (2603 * who) bytes at most, 827 + (128 * who) measured.
        """
        return weight(361_432_275 + 24_764_993 * who, 2_603 * who) + db(who, who)

    @staticmethod
    def force_set_balance_creating() -> Weight:
        """Time ~= 93.6 µs. Minimum execution time: 86.6 µs.

        `System::Account` (r:1 w:1), at most 128 bytes an entry
        Proof: 2603 bytes at most, 498 measured.
        """
        return weight(93_595_000, 2_603) + db(1, 1)

    @staticmethod
    def force_set_balance_killing() -> Weight:
        """Time ~= 70.6 µs. Minimum execution time: 65.4 µs.

        `System::Account` (r:1 w:1), at most 128 bytes an entry
        Proof: 2603 bytes at most, 709 measured.
        """
        return weight(70_601_000, 2_603) + db(1, 1)

    @staticmethod
    def force_adjust_total_issuance() -> Weight:
        """Time ~= 62.0 µs. Minimum execution time: 44.3 µs.

        `Balances::InactiveIssuance` (r:1 w:0), at most 16 bytes an entry
        Proof: 16 bytes at most, 408 measured.
        """
        return weight(61_996_000, 16) + db(1, 0)

    @staticmethod
    def burn_allow_death() -> Weight:
        """Time ~= 94.7 µs. Minimum execution time: 79.3 µs.

        `System::Account` (r:1 w:1), at most 128 bytes an entry
        Proof: 2603 bytes at most, 709 measured.
        """
        return weight(94_747_000, 2_603) + db(1, 1)

    @staticmethod
    def burn_keep_alive() -> Weight:
        """Time ~= 70.2 µs. Minimum execution time: 64.7 µs.

        `System::Account` (r:1 w:1), at most 128 bytes an entry
        Proof: 2603 bytes at most, 709 measured.
        """
        return weight(70_191_000, 2_603) + db(1, 1)
