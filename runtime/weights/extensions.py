"""Weights of the pallet `extensions`, measured. Do not edit, but run
`gristmill benchmark pallet --pallet extensions`.

2026-11-25, AMD EPYC, 2 cores, CPython 3.11.7
steps 20, repeat 6
"""

from __future__ import annotations

from frame.weights import Weight, WeightTable, db, weight


class Weights(WeightTable):
    """One function a benchmark."""

    @staticmethod
    def check_non_zero_sender() -> Weight:
        """Time ~= 7.9 µs. Minimum execution time: 4.2 µs.

        Proof: 0 bytes at most, 0 measured.
        """
        return weight(7_925_000, 0)

    @staticmethod
    def check_spec_version() -> Weight:
        """Time ~= 5.7 µs. Minimum execution time: 4.6 µs.

        Proof: 0 bytes at most, 0 measured.
        """
        return weight(5_741_000, 0)

    @staticmethod
    def check_tx_version() -> Weight:
        """Time ~= 5.8 µs. Minimum execution time: 5.1 µs.

        Proof: 0 bytes at most, 0 measured.
        """
        return weight(5_801_000, 0)

    @staticmethod
    def check_genesis() -> Weight:
        """Time ~= 13.0 µs. Minimum execution time: 11.8 µs.

        `System::BlockHash` (r:1 w:0), at most 44 bytes an entry
        Proof: 2519 bytes at most, 581 measured.
        """
        return weight(13_025_000, 2_519) + db(1, 0)

    @staticmethod
    def check_mortality() -> Weight:
        """Time ~= 13.9 µs. Minimum execution time: 12.7 µs.

        `System::BlockHash` (r:1 w:0), at most 44 bytes an entry
        Proof: 2519 bytes at most, 581 measured.
        """
        return weight(13_937_000, 2_519) + db(1, 0)

    @staticmethod
    def check_nonce() -> Weight:
        """Time ~= 29.1 µs. Minimum execution time: 25.3 µs.

        `System::Account` (r:1 w:1), at most 128 bytes an entry
        Proof: 2603 bytes at most, 643 measured.
        """
        return weight(29_135_000, 2_603) + db(1, 1)

    @staticmethod
    def check_weight() -> Weight:
        """Time ~= 36.6 µs. Minimum execution time: 33.2 µs.

        `System::AllExtrinsicsLen` (r:1 w:1), at most 4 bytes an entry
        Proof: 4 bytes at most, 520 measured.
        """
        return weight(36_589_000, 4) + db(1, 1)

    @staticmethod
    def charge_transaction_payment() -> Weight:
        """Time ~= 78.7 µs. Minimum execution time: 71.0 µs.

        `System::Account` (r:1 w:1), at most 128 bytes an entry
        `TransactionPayment::NextFeeMultiplier` (r:1 w:0), at most 16 bytes an entry
        Proof: 2619 bytes at most, 905 measured.
        """
        return weight(78_667_000, 2_619) + db(2, 1)

    @staticmethod
    def check_metadata_hash() -> Weight:
        """Time ~= 6.9 µs. Minimum execution time: 4.7 µs.

        Proof: 0 bytes at most, 0 measured.
        """
        return weight(6_914_000, 0)

    @staticmethod
    def weight_reclaim() -> Weight:
        """Time ~= 4.5 µs. Minimum execution time: 4.3 µs.

        Proof: 0 bytes at most, 0 measured.
        """
        return weight(4_540_000, 0)
