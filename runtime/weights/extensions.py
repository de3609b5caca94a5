"""Weights of the pallet `extensions`, measured. Do not edit, but run
`gristmill benchmark pallet --pallet extensions`.

2026-11-25, AMD EPYC, 2 cores, CPython 3.11.7
steps 50, repeat 20; reference time: timings × 0.57 (0.42 to 1.00)
"""

from __future__ import annotations

from frame.weights import Weight, WeightTable, db, weight


class Weights(WeightTable):
    """One function a benchmark."""

    @staticmethod
    def check_non_zero_sender() -> Weight:
        """Time ~= 7.6 µs. Minimum execution time: 5.1 µs.

        Proof: 0 bytes at most, 0 measured.
        """
        return weight(7_590_000, 0)

    @staticmethod
    def check_spec_version() -> Weight:
        """Time ~= 7.9 µs. Minimum execution time: 5.9 µs.

        Proof: 0 bytes at most, 0 measured.
        """
        return weight(7_890_000, 0)

    @staticmethod
    def check_tx_version() -> Weight:
        """Time ~= 7.9 µs. Minimum execution time: 5.4 µs.

        Proof: 0 bytes at most, 0 measured.
        """
        return weight(7_899_000, 0)

    @staticmethod
    def check_genesis() -> Weight:
        """Time ~= 13.6 µs. Minimum execution time: 10.0 µs.

        `System::BlockHash` (r:1 w:0), at most 44 bytes an entry
        Proof: 2519 bytes at most, 647 measured.
        """
        return weight(13_600_000, 2_519) + db(1, 0)

    @staticmethod
    def check_mortality() -> Weight:
        """Time ~= 13.9 µs. Minimum execution time: 9.9 µs.

        `System::BlockHash` (r:1 w:0), at most 44 bytes an entry
        Proof: 2519 bytes at most, 647 measured.
        """
        return weight(13_853_000, 2_519) + db(1, 0)

    @staticmethod
    def check_nonce() -> Weight:
        """Time ~= 22.1 µs. Minimum execution time: 16.5 µs.

        `System::Account` (r:1 w:1), at most 128 bytes an entry
        Proof: 2603 bytes at most, 709 measured.
        """
        return weight(22_147_000, 2_603) + db(1, 1)

    @staticmethod
    def check_weight() -> Weight:
        """Time ~= 31.4 µs. Minimum execution time: 23.0 µs.

        `System::AllExtrinsicsLen` (r:1 w:1), at most 4 bytes an entry
        Proof: 4 bytes at most, 586 measured.
        """
        return weight(31_444_000, 4) + db(1, 1)

    @staticmethod
    def charge_transaction_payment() -> Weight:
        """Time ~= 56.7 µs. Minimum execution time: 42.5 µs.

        `System::Account` (r:1 w:1), at most 128 bytes an entry
        `TransactionPayment::NextFeeMultiplier` (r:1 w:0), at most 16 bytes an entry
        Proof: 2619 bytes at most, 971 measured.
        """
        return weight(56_716_000, 2_619) + db(2, 1)

    @staticmethod
    def check_metadata_hash() -> Weight:
        """Time ~= 7.8 µs. Minimum execution time: 4.6 µs.

        Proof: 0 bytes at most, 0 measured.
        """
        return weight(7_797_000, 0)

    @staticmethod
    def weight_reclaim() -> Weight:
        """Time ~= 7.8 µs. Minimum execution time: 6.0 µs.

        Proof: 0 bytes at most, 0 measured.
        """
        return weight(7_784_000, 0)
