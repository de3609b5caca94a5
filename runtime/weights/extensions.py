"""Weights of the pallet `extensions`, measured. Do not edit, but run
`gristmill benchmark pallet --pallet extensions`.

2026-11-25, AMD EPYC, 2 cores, CPython 3.11.7
steps 12, repeat 6
"""

from __future__ import annotations

from frame.weights import Weight, WeightTable, db, weight


class Weights(WeightTable):
    """One function a benchmark."""

    @staticmethod
    def check_non_zero_sender() -> Weight:
        """Time ~= 12.8 µs. Minimum execution time: 9.5 µs.

        Proof: 0 bytes at most, 0 measured.
        """
        return weight(12_764_000, 0)

    @staticmethod
    def check_spec_version() -> Weight:
        """Time ~= 12.8 µs. Minimum execution time: 10.1 µs.

        Proof: 0 bytes at most, 0 measured.
        """
        return weight(12_774_000, 0)

    @staticmethod
    def check_tx_version() -> Weight:
        """Time ~= 15.4 µs. Minimum execution time: 11.9 µs.

        Proof: 0 bytes at most, 0 measured.
        """
        return weight(15_369_000, 0)

    @staticmethod
    def check_genesis() -> Weight:
        """Time ~= 30.4 µs. Minimum execution time: 28.2 µs.

        `System::BlockHash` (r:1 w:0), at most 44 bytes an entry
        Proof: 2519 bytes at most, 647 measured.
        """
        return weight(30_367_000, 2_519) + db(1, 0)

    @staticmethod
    def check_mortality() -> Weight:
        """Time ~= 28.2 µs. Minimum execution time: 19.8 µs.

        `System::BlockHash` (r:1 w:0), at most 44 bytes an entry
        Proof: 2519 bytes at most, 647 measured.
        """
        return weight(28_213_000, 2_519) + db(1, 0)

    @staticmethod
    def check_nonce() -> Weight:
        """Time ~= 65.5 µs. Minimum execution time: 32.6 µs.

        `System::Account` (r:1 w:1), at most 128 bytes an entry
        Proof: 2603 bytes at most, 709 measured.
        """
        return weight(65_543_000, 2_603) + db(1, 1)

    @staticmethod
    def check_weight() -> Weight:
        """Time ~= 79.4 µs. Minimum execution time: 53.9 µs.

        `System::AllExtrinsicsLen` (r:1 w:1), at most 4 bytes an entry
        Proof: 4 bytes at most, 586 measured.
        """
        return weight(79_358_000, 4) + db(1, 1)

    @staticmethod
    def charge_transaction_payment() -> Weight:
        """Time ~= 138.2 µs. Minimum execution time: 80.9 µs.

        `System::Account` (r:1 w:1), at most 128 bytes an entry
        `TransactionPayment::NextFeeMultiplier` (r:1 w:0), at most 16 bytes an entry
        Proof: 2619 bytes at most, 971 measured.
        """
        return weight(138_168_000, 2_619) + db(2, 1)

    @staticmethod
    def check_metadata_hash() -> Weight:
        """Time ~= 11.5 µs. Minimum execution time: 9.2 µs.

        Proof: 0 bytes at most, 0 measured.
        """
        return weight(11_452_000, 0)

    @staticmethod
    def weight_reclaim() -> Weight:
        """Time ~= 11.3 µs. Minimum execution time: 10.3 µs.

        Proof: 0 bytes at most, 0 measured.
        """
        return weight(11_251_000, 0)
