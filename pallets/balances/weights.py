"""Weights of the pallet `balances`, measured. Do not edit, but run
`gristmill benchmark pallet --pallet balances`.

2026-11-25, AMD EPYC, 2 cores, CPython 3.11.7
steps 12, repeat 5
"""

from __future__ import annotations

from frame.weights import Weight, WeightTable, db, weight


class Weights(WeightTable):
    """One function a benchmark."""

    @staticmethod
    def transfer_allow_death() -> Weight:
        """Time ~= 106.5 µs. Minimum execution time: 95.4 µs.

        `System::Account` (r:2 w:2), at most 128 bytes an entry
        Proof: 5206 bytes at most, 709 measured.
        """
        return weight(106_530_000, 5_206) + db(2, 2)

    @staticmethod
    def transfer_keep_alive() -> Weight:
        """Time ~= 86.4 µs. Minimum execution time: 77.7 µs.

        `System::Account` (r:2 w:2), at most 128 bytes an entry
        Proof: 5206 bytes at most, 709 measured.
        """
        return weight(86_403_000, 5_206) + db(2, 2)

    @staticmethod
    def force_transfer() -> Weight:
        """Time ~= 104.5 µs. Minimum execution time: 95.3 µs.

        `System::Account` (r:2 w:2), at most 128 bytes an entry
        Proof: 5206 bytes at most, 709 measured.
        """
        return weight(104_536_000, 5_206) + db(2, 2)

    @staticmethod
    def transfer_all() -> Weight:
        """Time ~= 89.5 µs. Minimum execution time: 83.6 µs.

        `System::Account` (r:2 w:2), at most 128 bytes an entry
        Proof: 5206 bytes at most, 709 measured.
        """
        return weight(89_529_000, 5_206) + db(2, 2)

    @staticmethod
    def force_unreserve() -> Weight:
        """Time ~= 72.1 µs. Minimum execution time: 61.1 µs.

        `Balances::Holds` (r:1 w:0), at most 949 bytes an entry
        `System::Account` (r:1 w:1), at most 128 bytes an entry
        Proof: 6027 bytes at most, 850 measured.
        """
        return weight(72_116_000, 6_027) + db(2, 1)

    @staticmethod
    def upgrade_accounts(who: int) -> Weight:
        """Time ~= 51.3 + who 19.54 µs. Minimum execution time: 49.7 µs.

        `who` is in [1, 1000].

        `System::Account` (r:1000 w:1000), at most 128 bytes an entry
        Proof: 0 + (2603 * who) bytes at most, 827 + (128 * who) measured.
        """
        return weight(51_338_000 + 19_543_726 * who, 2_603 * who) + db(who, who)

    @staticmethod
    def force_set_balance_creating() -> Weight:
        """Time ~= 84.9 µs. Minimum execution time: 74.2 µs.

        `System::Account` (r:1 w:1), at most 128 bytes an entry
        Proof: 2603 bytes at most, 498 measured.
        """
        return weight(84_880_000, 2_603) + db(1, 1)

    @staticmethod
    def force_set_balance_killing() -> Weight:
        """Time ~= 70.6 µs. Minimum execution time: 56.3 µs.

        `System::Account` (r:1 w:1), at most 128 bytes an entry
        Proof: 2603 bytes at most, 709 measured.
        """
        return weight(70_633_000, 2_603) + db(1, 1)

    @staticmethod
    def force_adjust_total_issuance() -> Weight:
        """Time ~= 39.4 µs. Minimum execution time: 33.6 µs.

        `Balances::InactiveIssuance` (r:1 w:0), at most 16 bytes an entry
        Proof: 16 bytes at most, 408 measured.
        """
        return weight(39_364_000, 16) + db(1, 0)

    @staticmethod
    def burn_allow_death() -> Weight:
        """Time ~= 74.2 µs. Minimum execution time: 59.8 µs.

        `System::Account` (r:1 w:1), at most 128 bytes an entry
        Proof: 2603 bytes at most, 709 measured.
        """
        return weight(74_230_000, 2_603) + db(1, 1)

    @staticmethod
    def burn_keep_alive() -> Weight:
        """Time ~= 57.1 µs. Minimum execution time: 48.0 µs.

        `System::Account` (r:1 w:1), at most 128 bytes an entry
        Proof: 2603 bytes at most, 709 measured.
        """
        return weight(57_138_000, 2_603) + db(1, 1)
