"""Weights of the pallet `extensions`, measured. Do not edit, but run
`gristmill benchmark pallet --pallet extensions`.

2026-11-25, AMD EPYC, 2 cores, CPython 3.11.7
steps 12, repeat 5
"""

from __future__ import annotations

from frame.weights import Weight, WeightTable, db, weight


class Weights(WeightTable):
    """One function a benchmark."""

    @staticmethod
    def check_non_zero_sender() -> Weight:
        """Time ~= 5.3 µs. Minimum execution time: 4.8 µs.

        Proof: 0 bytes at most, 0 measured.
        """
        return weight(5_251_000, 0)

    @staticmethod
    def check_spec_version() -> Weight:
        """Time ~= 4.9 µs. Minimum execution time: 4.0 µs.

        Proof: 0 bytes at most, 0 measured.
        """
        return weight(4_920_000, 0)

    @staticmethod
    def check_tx_version() -> Weight:
        """Time ~= 5.0 µs. Minimum execution time: 4.2 µs.

        Proof: 0 bytes at most, 0 measured.
        """
        return weight(5_001_000, 0)

    @staticmethod
    def check_genesis() -> Weight:
        """Time ~= 22.9 µs. Minimum execution time: 12.0 µs.

        `System::BlockHash` (r:1 w:0), at most 44 bytes an entry
        Proof: 2519 bytes at most, 647 measured.
        """
        return weight(22_934_000, 2_519) + db(1, 0)

    @staticmethod
    def check_mortality() -> Weight:
        """Time ~= 17.4 µs. Minimum execution time: 12.2 µs.

        `System::BlockHash` (r:1 w:0), at most 44 bytes an entry
        Proof: 2519 bytes at most, 647 measured.
        """
        return weight(17_433_000, 2_519) + db(1, 0)

    @staticmethod
    def check_nonce() -> Weight:
        """Time ~= 42.5 µs. Minimum execution time: 25.5 µs.

        `System::Account` (r:1 w:1), at most 128 bytes an entry
        Proof: 2603 bytes at most, 709 measured.
        """
        return weight(42_501_000, 2_603) + db(1, 1)

    @staticmethod
    def check_weight() -> Weight:
        """Time ~= 41.5 µs. Minimum execution time: 32.6 µs.

        `System::AllExtrinsicsLen` (r:1 w:1), at most 4 bytes an entry
        Proof: 4 bytes at most, 586 measured.
        """
        return weight(41_499_000, 4) + db(1, 1)

    @staticmethod
    def charge_transaction_payment() -> Weight:
        """Time ~= 116.8 µs. Minimum execution time: 69.1 µs.

        `System::Account` (r:1 w:1), at most 128 bytes an entry
        `TransactionPayment::NextFeeMultiplier` (r:1 w:0), at most 16 bytes an entry
        Proof: 2619 bytes at most, 971 measured.
        """
        return weight(116_819_000, 2_619) + db(2, 1)

    @staticmethod
    def check_metadata_hash() -> Weight:
        """Time ~= 6.9 µs. Minimum execution time: 4.9 µs.

        Proof: 0 bytes at most, 0 measured.
        """
        return weight(6_904_000, 0)

    @staticmethod
    def weight_reclaim() -> Weight:
        """Time ~= 5.9 µs. Minimum execution time: 4.1 µs.

        Proof: 0 bytes at most, 0 measured.
        """
        return weight(5_943_000, 0)
