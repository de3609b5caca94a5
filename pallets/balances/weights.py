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
        """Time ~= 142.3 µs. Minimum execution time: 122.0 µs.

        `System::Account` (r:2 w:2), at most 128 bytes an entry
        Proof: 5206 bytes at most, 709 measured.
        """
        return weight(142_286_000, 5_206) + db(2, 2)

    @staticmethod
    def transfer_keep_alive() -> Weight:
        """Time ~= 108.1 µs. Minimum execution time: 95.5 µs.

        `System::Account` (r:2 w:2), at most 128 bytes an entry
        Proof: 5206 bytes at most, 709 measured.
        """
        return weight(108_071_000, 5_206) + db(2, 2)

    @staticmethod
    def force_transfer() -> Weight:
        """Time ~= 136.1 µs. Minimum execution time: 107.2 µs.

        `System::Account` (r:2 w:2), at most 128 bytes an entry
        Proof: 5206 bytes at most, 709 measured.
        """
        return weight(136_074_000, 5_206) + db(2, 2)

    @staticmethod
    def transfer_all() -> Weight:
        """Time ~= 126.1 µs. Minimum execution time: 98.8 µs.

        `System::Account` (r:2 w:2), at most 128 bytes an entry
        Proof: 5206 bytes at most, 709 measured.
        """
        return weight(126_116_000, 5_206) + db(2, 2)

    @staticmethod
    def force_unreserve() -> Weight:
        """Time ~= 89.6 µs. Minimum execution time: 79.0 µs.

        `Balances::Holds` (r:1 w:0), at most 949 bytes an entry
        `System::Account` (r:1 w:1), at most 128 bytes an entry
        Proof: 6027 bytes at most, 850 measured.
        """
        return weight(89_557_000, 6_027) + db(2, 1)

    @staticmethod
    def upgrade_accounts(who: int) -> Weight:
        """Time ~= 67.4 + who 20.58 µs. Minimum execution time: 60.7 µs.

        `who` is in [1, 1000].

        `System::Account` (r:1000 w:1000), at most 128 bytes an entry
        Proof: 0 + (2603 * who) bytes at most, 827 + (128 * who) measured.
        """
        return weight(67_447_249 + 20_577_909 * who, 2_603 * who) + db(who, who)

    @staticmethod
    def force_set_balance_creating() -> Weight:
        """Time ~= 95.4 µs. Minimum execution time: 83.9 µs.

        `System::Account` (r:1 w:1), at most 128 bytes an entry
        Proof: 2603 bytes at most, 498 measured.
        """
        return weight(95_389_000, 2_603) + db(1, 1)

    @staticmethod
    def force_set_balance_killing() -> Weight:
        """Time ~= 80.2 µs. Minimum execution time: 62.2 µs.

        `System::Account` (r:1 w:1), at most 128 bytes an entry
        Proof: 2603 bytes at most, 709 measured.
        """
        return weight(80_191_000, 2_603) + db(1, 1)

    @staticmethod
    def force_adjust_total_issuance() -> Weight:
        """Time ~= 48.3 µs. Minimum execution time: 45.3 µs.

        `Balances::InactiveIssuance` (r:1 w:0), at most 16 bytes an entry
        Proof: 16 bytes at most, 408 measured.
        """
        return weight(48_251_000, 16) + db(1, 0)

    @staticmethod
    def burn_allow_death() -> Weight:
        """Time ~= 84.2 µs. Minimum execution time: 71.8 µs.

        `System::Account` (r:1 w:1), at most 128 bytes an entry
        Proof: 2603 bytes at most, 709 measured.
        """
        return weight(84_177_000, 2_603) + db(1, 1)

    @staticmethod
    def burn_keep_alive() -> Weight:
        """Time ~= 65.8 µs. Minimum execution time: 59.4 µs.

        `System::Account` (r:1 w:1), at most 128 bytes an entry
        Proof: 2603 bytes at most, 709 measured.
        """
        return weight(65_792_000, 2_603) + db(1, 1)
