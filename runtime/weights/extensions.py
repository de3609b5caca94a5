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
        """Time ~= 14.6 µs. Minimum execution time: 10.2 µs.

        Proof: 0 bytes at most, 0 measured.
        """
        return weight(14_617_000, 0)

    @staticmethod
    def check_spec_version() -> Weight:
        """Time ~= 13.6 µs. Minimum execution time: 9.1 µs.

        Proof: 0 bytes at most, 0 measured.
        """
        return weight(13_636_000, 0)

    @staticmethod
    def check_tx_version() -> Weight:
        """Time ~= 12.0 µs. Minimum execution time: 9.3 µs.

        Proof: 0 bytes at most, 0 measured.
        """
        return weight(12_003_000, 0)

    @staticmethod
    def check_genesis() -> Weight:
        """Time ~= 24.4 µs. Minimum execution time: 18.3 µs.

        `System::BlockHash` (r:1 w:0), at most 44 bytes an entry
        Proof: 2519 bytes at most, 647 measured.
        """
        return weight(24_446_000, 2_519) + db(1, 0)

    @staticmethod
    def check_mortality() -> Weight:
        """Time ~= 24.3 µs. Minimum execution time: 16.6 µs.

        `System::BlockHash` (r:1 w:0), at most 44 bytes an entry
        Proof: 2519 bytes at most, 647 measured.
        """
        return weight(24_275_000, 2_519) + db(1, 0)

    @staticmethod
    def check_nonce() -> Weight:
        """Time ~= 55.1 µs. Minimum execution time: 41.6 µs.

        `System::Account` (r:1 w:1), at most 128 bytes an entry
        Proof: 2603 bytes at most, 709 measured.
        """
        return weight(55_053_000, 2_603) + db(1, 1)

    @staticmethod
    def check_weight() -> Weight:
        """Time ~= 52.0 µs. Minimum execution time: 46.0 µs.

        `System::AllExtrinsicsLen` (r:1 w:1), at most 4 bytes an entry
        Proof: 4 bytes at most, 586 measured.
        """
        return weight(52_027_000, 4) + db(1, 1)

    @staticmethod
    def charge_transaction_payment() -> Weight:
        """Time ~= 111.6 µs. Minimum execution time: 93.0 µs.

        `System::Account` (r:1 w:1), at most 128 bytes an entry
        `TransactionPayment::NextFeeMultiplier` (r:1 w:0), at most 16 bytes an entry
        Proof: 2619 bytes at most, 971 measured.
        """
        return weight(111_559_000, 2_619) + db(2, 1)

    @staticmethod
    def check_metadata_hash() -> Weight:
        """Time ~= 9.7 µs. Minimum execution time: 9.3 µs.

        Proof: 0 bytes at most, 0 measured.
        """
        return weight(9_748_000, 0)

    @staticmethod
    def weight_reclaim() -> Weight:
        """Time ~= 13.7 µs. Minimum execution time: 8.3 µs.

        Proof: 0 bytes at most, 0 measured.
        """
        return weight(13_725_000, 0)
