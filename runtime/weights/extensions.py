"""Weights of the pallet `extensions`, measured. Do not edit, but run
`gristmill benchmark pallet --pallet extensions`.

2026-11-25, AMD EPYC, 2 cores, CPython 3.11.7
steps 8, repeat 4
"""

from __future__ import annotations

from frame.weights import Weight, WeightTable, db, weight


class Weights(WeightTable):
    """One function a benchmark."""

    @staticmethod
    def check_non_zero_sender() -> Weight:
        """Time ~= 12.3 µs. Minimum execution time: 7.0 µs.

        Proof: 0 bytes at most, 0 measured.
        """
        return weight(12_263_000, 0)

    @staticmethod
    def check_spec_version() -> Weight:
        """Time ~= 10.0 µs. Minimum execution time: 6.0 µs.

        Proof: 0 bytes at most, 0 measured.
        """
        return weight(9_987_000, 0)

    @staticmethod
    def check_tx_version() -> Weight:
        """Time ~= 7.0 µs. Minimum execution time: 5.1 µs.

        Proof: 0 bytes at most, 0 measured.
        """
        return weight(6_953_000, 0)

    @staticmethod
    def check_genesis() -> Weight:
        """Time ~= 18.6 µs. Minimum execution time: 18.2 µs.

        `System::BlockHash` (r:1 w:0), at most 44 bytes an entry
        Proof: 2519 bytes at most, 647 measured.
        """
        return weight(18_554_000, 2_519) + db(1, 0)

    @staticmethod
    def check_mortality() -> Weight:
        """Time ~= 22.7 µs. Minimum execution time: 20.8 µs.

        `System::BlockHash` (r:1 w:0), at most 44 bytes an entry
        Proof: 2519 bytes at most, 647 measured.
        """
        return weight(22_661_000, 2_519) + db(1, 0)

    @staticmethod
    def check_nonce() -> Weight:
        """Time ~= 43.4 µs. Minimum execution time: 33.1 µs.

        `System::Account` (r:1 w:1), at most 128 bytes an entry
        Proof: 2603 bytes at most, 709 measured.
        """
        return weight(43_411_000, 2_603) + db(1, 1)

    @staticmethod
    def check_weight() -> Weight:
        """Time ~= 43.1 µs. Minimum execution time: 41.2 µs.

        `System::AllExtrinsicsLen` (r:1 w:1), at most 4 bytes an entry
        Proof: 4 bytes at most, 586 measured.
        """
        return weight(43_070_000, 4) + db(1, 1)

    @staticmethod
    def charge_transaction_payment() -> Weight:
        """Time ~= 114.4 µs. Minimum execution time: 99.3 µs.

        `System::Account` (r:1 w:1), at most 128 bytes an entry
        `TransactionPayment::NextFeeMultiplier` (r:1 w:0), at most 16 bytes an entry
        Proof: 2619 bytes at most, 971 measured.
        """
        return weight(114_433_000, 2_619) + db(2, 1)

    @staticmethod
    def check_metadata_hash() -> Weight:
        """Time ~= 5.2 µs. Minimum execution time: 4.5 µs.

        Proof: 0 bytes at most, 0 measured.
        """
        return weight(5_239_000, 0)

    @staticmethod
    def weight_reclaim() -> Weight:
        """Time ~= 4.4 µs. Minimum execution time: 4.3 µs.

        Proof: 0 bytes at most, 0 measured.
        """
        return weight(4_368_000, 0)
