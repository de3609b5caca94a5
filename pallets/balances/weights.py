"""Weights of the pallet `balances`, measured. Do not edit, but run
`gristmill benchmark pallet --pallet balances`.

2026-11-25, AMD EPYC, 2 cores, CPython 3.11.7
steps 20, repeat 6
"""

from __future__ import annotations

from frame.weights import Weight, WeightTable, db, weight


class Weights(WeightTable):
    """One function a benchmark."""

    @staticmethod
    def transfer_allow_death() -> Weight:
        """Time ~= 113.8 µs. Minimum execution time: 94.0 µs.

        `System::Account` (r:2 w:2), at most 128 bytes an entry
        Proof: 5206 bytes at most, 643 measured.
        """
        return weight(113_753_000, 5_206) + db(2, 2)

    @staticmethod
    def transfer_keep_alive() -> Weight:
        """Time ~= 88.2 µs. Minimum execution time: 81.4 µs.

        `System::Account` (r:2 w:2), at most 128 bytes an entry
        Proof: 5206 bytes at most, 643 measured.
        """
        return weight(88_175_000, 5_206) + db(2, 2)

    @staticmethod
    def force_transfer() -> Weight:
        """Time ~= 97.6 µs. Minimum execution time: 94.2 µs.

        `System::Account` (r:2 w:2), at most 128 bytes an entry
        Proof: 5206 bytes at most, 643 measured.
        """
        return weight(97_553_000, 5_206) + db(2, 2)

    @staticmethod
    def transfer_all() -> Weight:
        """Time ~= 87.8 µs. Minimum execution time: 84.2 µs.

        `System::Account` (r:2 w:2), at most 128 bytes an entry
        Proof: 5206 bytes at most, 643 measured.
        """
        return weight(87_824_000, 5_206) + db(2, 2)

    @staticmethod
    def force_unreserve() -> Weight:
        """Time ~= 67.9 µs. Minimum execution time: 61.6 µs.

        `Balances::Holds` (r:1 w:0), at most 949 bytes an entry
        `System::Account` (r:1 w:1), at most 128 bytes an entry
        Proof: 6027 bytes at most, 784 measured.
        """
        return weight(67_858_000, 6_027) + db(2, 1)

    @staticmethod
    def upgrade_accounts(who: int) -> Weight:
        """Time ~= 91.0 + who 16.35 µs. Minimum execution time: 48.6 µs.

        `who` is in [1, 1000].

        `System::Account` (r:1000 w:1000), at most 128 bytes an entry
        Proof: 0 + (2603 * who) bytes at most, 704 + (128 * who) measured.
        """
        return weight(90_992_607 + 16_349_902 * who, 2_603 * who) + db(who, who)

    @staticmethod
    def force_set_balance_creating() -> Weight:
        """Time ~= 107.2 µs. Minimum execution time: 71.1 µs.

        `System::Account` (r:1 w:1), at most 128 bytes an entry
        Proof: 2603 bytes at most, 432 measured.
        """
        return weight(107_250_000, 2_603) + db(1, 1)

    @staticmethod
    def force_set_balance_killing() -> Weight:
        """Time ~= 57.2 µs. Minimum execution time: 50.7 µs.

        `System::Account` (r:1 w:1), at most 128 bytes an entry
        Proof: 2603 bytes at most, 643 measured.
        """
        return weight(57_187_000, 2_603) + db(1, 1)

    @staticmethod
    def force_adjust_total_issuance() -> Weight:
        """Time ~= 37.7 µs. Minimum execution time: 33.5 µs.

        `Balances::InactiveIssuance` (r:1 w:0), at most 16 bytes an entry
        Proof: 16 bytes at most, 342 measured.
        """
        return weight(37_741_000, 16) + db(1, 0)

    @staticmethod
    def burn_allow_death() -> Weight:
        """Time ~= 68.5 µs. Minimum execution time: 62.2 µs.

        `System::Account` (r:1 w:1), at most 128 bytes an entry
        Proof: 2603 bytes at most, 643 measured.
        """
        return weight(68_499_000, 2_603) + db(1, 1)

    @staticmethod
    def burn_keep_alive() -> Weight:
        """Time ~= 55.0 µs. Minimum execution time: 47.1 µs.

        `System::Account` (r:1 w:1), at most 128 bytes an entry
        Proof: 2603 bytes at most, 643 measured.
        """
        return weight(55_033_000, 2_603) + db(1, 1)
