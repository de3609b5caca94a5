"""Weights of the pallet `balances`, measured. Do not edit, but run
`gristmill benchmark pallet --pallet balances`.

2026-11-25, AMD EPYC, 2 cores, CPython 3.11.7
steps 50, repeat 20; reference time: timings × 0.58 (0.39 to 1.00)
"""

from __future__ import annotations

from frame.weights import Weight, WeightTable, db, weight


class Weights(WeightTable):
    """One function a benchmark."""

    @staticmethod
    def transfer_allow_death() -> Weight:
        """Time ~= 77.3 µs. Minimum execution time: 58.0 µs.

        `System::Account` (r:2 w:2), at most 128 bytes an entry
        Proof: 5206 bytes at most, 709 measured.
        """
        return weight(77_284_000, 5_206) + db(2, 2)

    @staticmethod
    def transfer_keep_alive() -> Weight:
        """Time ~= 64.1 µs. Minimum execution time: 46.0 µs.

        `System::Account` (r:2 w:2), at most 128 bytes an entry
        Proof: 5206 bytes at most, 709 measured.
        """
        return weight(64_141_000, 5_206) + db(2, 2)

    @staticmethod
    def force_transfer() -> Weight:
        """Time ~= 80.1 µs. Minimum execution time: 53.0 µs.

        `System::Account` (r:2 w:2), at most 128 bytes an entry
        Proof: 5206 bytes at most, 709 measured.
        """
        return weight(80_083_000, 5_206) + db(2, 2)

    @staticmethod
    def transfer_all() -> Weight:
        """Time ~= 69.7 µs. Minimum execution time: 53.7 µs.

        `System::Account` (r:2 w:2), at most 128 bytes an entry
        Proof: 5206 bytes at most, 709 measured.
        """
        return weight(69_690_000, 5_206) + db(2, 2)

    @staticmethod
    def force_unreserve() -> Weight:
        """Time ~= 52.7 µs. Minimum execution time: 40.4 µs.

        `Balances::Holds` (r:1 w:0), at most 949 bytes an entry
        `System::Account` (r:1 w:1), at most 128 bytes an entry
        Proof: 6027 bytes at most, 850 measured.
        """
        return weight(52_675_000, 6_027) + db(2, 1)

    @staticmethod
    def upgrade_accounts(who: int) -> Weight:
        """Time ~= 27.6 + who 14.22 µs. Minimum execution time: 38.8 µs.

        `who` is in [1, 1000].

        `System::Account` (r:1000 w:1000), at most 128 bytes an entry
        Proof: 0 + (2603 * who) bytes at most, 736 + (128 * who) measured.
        """
        return weight(27_614_746 + 14_221_806 * who, 2_603 * who) + db(who, who)

    @staticmethod
    def force_set_balance_creating() -> Weight:
        """Time ~= 59.7 µs. Minimum execution time: 36.1 µs.

        `System::Account` (r:1 w:1), at most 128 bytes an entry
        Proof: 2603 bytes at most, 498 measured.
        """
        return weight(59_691_000, 2_603) + db(1, 1)

    @staticmethod
    def force_set_balance_killing() -> Weight:
        """Time ~= 49.4 µs. Minimum execution time: 34.9 µs.

        `System::Account` (r:1 w:1), at most 128 bytes an entry
        Proof: 2603 bytes at most, 709 measured.
        """
        return weight(49_437_000, 2_603) + db(1, 1)

    @staticmethod
    def force_adjust_total_issuance() -> Weight:
        """Time ~= 32.1 µs. Minimum execution time: 21.3 µs.

        `Balances::InactiveIssuance` (r:1 w:0), at most 16 bytes an entry
        Proof: 16 bytes at most, 408 measured.
        """
        return weight(32_089_000, 16) + db(1, 0)

    @staticmethod
    def burn_allow_death() -> Weight:
        """Time ~= 56.2 µs. Minimum execution time: 33.0 µs.

        `System::Account` (r:1 w:1), at most 128 bytes an entry
        Proof: 2603 bytes at most, 709 measured.
        """
        return weight(56_222_000, 2_603) + db(1, 1)

    @staticmethod
    def burn_keep_alive() -> Weight:
        """Time ~= 46.3 µs. Minimum execution time: 32.1 µs.

        `System::Account` (r:1 w:1), at most 128 bytes an entry
        Proof: 2603 bytes at most, 709 measured.
        """
        return weight(46_257_000, 2_603) + db(1, 1)
