"""Weights of the pallet `compute`, measured. Do not edit, but run
`gristmill benchmark pallet --pallet compute`.

2026-11-25, AMD EPYC, 2 cores, CPython 3.11.7
steps 10, repeat 5
"""

from __future__ import annotations

from frame.weights import Weight, WeightTable, db, weight


class Weights(WeightTable):
    """One function a benchmark."""

    @staticmethod
    def submit(columns: int, trainable: int, numbers: int) -> Weight:
        """Time ~= 70.1 + columns 6.068 + trainable 2.871 + numbers 0.4577 µs. Minimum execution time: 1104.7
        µs.

        `columns` is in [1, 256], `trainable` is in [0, 256], `numbers` is in [0, 1024].

        `Balances::Holds` (r:1 w:1), at most 949 bytes an entry
        `Blobs::Blobs` (r:1 w:1), at most 133 bytes an entry
        `Compute::Jobs` (r:0 w:1), at most 485 bytes an entry
        `Compute::NextJobId` (r:1 w:1), at most 4 bytes an entry
        `Compute::OpenJobs` (r:0 w:2), at most 61 bytes an entry
        `Compute::Orders` (r:0 w:1), at most 45247 bytes an entry
        `Datasets::Datasets` (r:1 w:0), at most 25875 bytes an entry
        `Datasets::Ledger` (r:1 w:1), at most 40 bytes an entry
        `Market::Deals` (r:0 w:1), at most 132 bytes an entry
        `Market::Listings` (r:1 w:0), at most 125 bytes an entry
        `System::Account` (r:1 w:1), at most 128 bytes an entry
        `Timestamp::Now` (r:1 w:0), at most 8 bytes an entry
        Proof: 42112 bytes at most, 6403 + (85 * columns) + (1 * trainable) + (1 * numbers) measured.
        """
        return weight(
            70_119_354 + 6_068_095 * columns + 2_870_971 * trainable + 457_683 * numbers, 42_112
        ) + db(8, 10)

    @staticmethod
    def cancel(columns: int) -> Weight:
        """Time ~= 414.0 + columns 5.203 µs. Minimum execution time: 362.7 µs.

        `columns` is in [1, 256].

        `Balances::Holds` (r:2 w:2), at most 949 bytes an entry
        `Blobs::Blobs` (r:1 w:1), at most 133 bytes an entry
        `Compute::Jobs` (r:1 w:1), at most 485 bytes an entry
        `Compute::OpenJobs` (r:0 w:2), at most 61 bytes an entry
        `Compute::Orders` (r:0 w:1), at most 45247 bytes an entry
        `Datasets::Datasets` (r:1 w:1), at most 25875 bytes an entry
        `Datasets::Ledger` (r:1 w:1), at most 40 bytes an entry
        `Market::Deals` (r:1 w:1), at most 132 bytes an entry
        `System::Account` (r:2 w:2), at most 128 bytes an entry
        `Timestamp::Now` (r:1 w:0), at most 8 bytes an entry
        Proof: 51102 bytes at most, 7349 + (85 * columns) measured.
        """
        return weight(414_009_236 + 5_202_603 * columns, 51_102) + db(10, 12)

    @staticmethod
    def reject(columns: int) -> Weight:
        """Time ~= 522.0 + columns 5.027 µs. Minimum execution time: 340.8 µs.

        `columns` is in [1, 256].

        `Balances::Holds` (r:2 w:2), at most 949 bytes an entry
        `Blobs::Blobs` (r:1 w:1), at most 133 bytes an entry
        `Compute::Jobs` (r:1 w:1), at most 485 bytes an entry
        `Compute::OpenJobs` (r:0 w:2), at most 61 bytes an entry
        `Compute::Orders` (r:0 w:1), at most 45247 bytes an entry
        `Datasets::Datasets` (r:1 w:1), at most 25875 bytes an entry
        `Datasets::Ledger` (r:1 w:1), at most 40 bytes an entry
        `Market::Deals` (r:1 w:1), at most 132 bytes an entry
        `System::Account` (r:2 w:2), at most 128 bytes an entry
        `Timestamp::Now` (r:1 w:0), at most 8 bytes an entry
        Proof: 51102 bytes at most, 7349 + (85 * columns) measured.
        """
        return weight(522_016_519 + 5_026_763 * columns, 51_102) + db(10, 12)

    @staticmethod
    def accept() -> Weight:
        """Time ~= 157.7 µs. Minimum execution time: 137.7 µs.

        `Balances::Holds` (r:1 w:1), at most 949 bytes an entry
        `Compute::Jobs` (r:1 w:1), at most 485 bytes an entry
        `Market::Deals` (r:1 w:1), at most 132 bytes an entry
        `System::Account` (r:1 w:1), at most 128 bytes an entry
        `System::ParentHash` (r:1 w:0), at most 32 bytes an entry
        `Timestamp::Now` (r:1 w:0), at most 8 bytes an entry
        Proof: 11634 bytes at most, 2137 measured.
        """
        return weight(157_743_000, 11_634) + db(6, 4)

    @staticmethod
    def submit_result() -> Weight:
        """Time ~= 96.5 µs. Minimum execution time: 88.8 µs.

        `Blobs::Blobs` (r:1 w:1), at most 133 bytes an entry
        `Compute::Jobs` (r:1 w:1), at most 485 bytes an entry
        `Datasets::Ledger` (r:1 w:1), at most 40 bytes an entry
        `Timestamp::Now` (r:1 w:0), at most 8 bytes an entry
        Proof: 8091 bytes at most, 1751 measured.
        """
        return weight(96_539_000, 8_091) + db(4, 3)

    @staticmethod
    def fail(columns: int) -> Weight:
        """Time ~= 382.1 + columns 7.319 µs. Minimum execution time: 380.3 µs.

        `columns` is in [1, 256].

        `Balances::Holds` (r:2 w:2), at most 949 bytes an entry
        `Blobs::Blobs` (r:1 w:1), at most 133 bytes an entry
        `Compute::Jobs` (r:1 w:1), at most 485 bytes an entry
        `Compute::OpenJobs` (r:0 w:2), at most 61 bytes an entry
        `Compute::Orders` (r:0 w:1), at most 45247 bytes an entry
        `Datasets::Datasets` (r:1 w:1), at most 25875 bytes an entry
        `Datasets::Ledger` (r:1 w:1), at most 40 bytes an entry
        `Market::Deals` (r:1 w:1), at most 132 bytes an entry
        `System::Account` (r:2 w:2), at most 128 bytes an entry
        `Timestamp::Now` (r:1 w:0), at most 8 bytes an entry
        Proof: 51102 bytes at most, 7549 + (85 * columns) measured.
        """
        return weight(382_086_220 + 7_318_799 * columns, 51_102) + db(10, 12)

    @staticmethod
    def confirm(columns: int) -> Weight:
        """Time ~= 525.6 + columns 7.614 µs. Minimum execution time: 457.9 µs.

        `columns` is in [1, 256].

        `Balances::Holds` (r:2 w:2), at most 949 bytes an entry
        `Blobs::Blobs` (r:2 w:2), at most 133 bytes an entry
        `Compute::Jobs` (r:1 w:1), at most 485 bytes an entry
        `Compute::OpenJobs` (r:0 w:2), at most 61 bytes an entry
        `Compute::Orders` (r:0 w:1), at most 45247 bytes an entry
        `Datasets::Datasets` (r:1 w:1), at most 25875 bytes an entry
        `Datasets::Ledger` (r:1 w:1), at most 40 bytes an entry
        `Market::Deals` (r:1 w:1), at most 132 bytes an entry
        `Rewards::Eras` (r:1 w:1), at most 81 bytes an entry
        `Rewards::Fees` (r:1 w:1), at most 44 bytes an entry
        `System::Account` (r:2 w:2), at most 128 bytes an entry
        `Timestamp::Now` (r:1 w:0), at most 8 bytes an entry
        Proof: 58785 bytes at most, 7900 + (85 * columns) measured.
        """
        return weight(525_599_931 + 7_614_040 * columns, 58_785) + db(13, 15)

    @staticmethod
    def expire_unaccepted(columns: int) -> Weight:
        """Time ~= 560.9 + columns 5.314 µs. Minimum execution time: 338.9 µs.

        `columns` is in [1, 256].

        `Balances::Holds` (r:2 w:2), at most 949 bytes an entry
        `Blobs::Blobs` (r:1 w:1), at most 133 bytes an entry
        `Compute::Jobs` (r:1 w:1), at most 485 bytes an entry
        `Compute::OpenJobs` (r:0 w:2), at most 61 bytes an entry
        `Compute::Orders` (r:0 w:1), at most 45247 bytes an entry
        `Datasets::Datasets` (r:1 w:1), at most 25875 bytes an entry
        `Datasets::Ledger` (r:1 w:1), at most 40 bytes an entry
        `Market::Deals` (r:1 w:1), at most 132 bytes an entry
        `System::Account` (r:2 w:2), at most 128 bytes an entry
        `Timestamp::Now` (r:1 w:0), at most 8 bytes an entry
        Proof: 51102 bytes at most, 7436 + (85 * columns) measured.
        """
        return weight(560_927_016 + 5_314_020 * columns, 51_102) + db(10, 12)

    @staticmethod
    def expire_undelivered(columns: int) -> Weight:
        """Time ~= 630.6 + columns 6.95 µs. Minimum execution time: 422.6 µs.

        `columns` is in [1, 256].

        `Balances::Holds` (r:2 w:2), at most 949 bytes an entry
        `Blobs::Blobs` (r:1 w:1), at most 133 bytes an entry
        `Compute::Jobs` (r:1 w:1), at most 485 bytes an entry
        `Compute::OpenJobs` (r:0 w:2), at most 61 bytes an entry
        `Compute::Orders` (r:0 w:1), at most 45247 bytes an entry
        `Datasets::Datasets` (r:1 w:1), at most 25875 bytes an entry
        `Datasets::Ledger` (r:1 w:1), at most 40 bytes an entry
        `Market::Deals` (r:1 w:1), at most 132 bytes an entry
        `System::Account` (r:2 w:2), at most 128 bytes an entry
        `Timestamp::Now` (r:1 w:0), at most 8 bytes an entry
        Proof: 51102 bytes at most, 7549 + (85 * columns) measured.
        """
        return weight(630_633_047 + 6_949_558 * columns, 51_102) + db(10, 12)

    @staticmethod
    def expire_unconfirmed(columns: int) -> Weight:
        """Time ~= 454.1 + columns 6.689 µs. Minimum execution time: 435.2 µs.

        `columns` is in [1, 256].

        `Balances::Holds` (r:2 w:2), at most 949 bytes an entry
        `Blobs::Blobs` (r:2 w:2), at most 133 bytes an entry
        `Compute::Jobs` (r:1 w:1), at most 485 bytes an entry
        `Compute::OpenJobs` (r:0 w:2), at most 61 bytes an entry
        `Compute::Orders` (r:0 w:1), at most 45247 bytes an entry
        `Datasets::Datasets` (r:1 w:1), at most 25875 bytes an entry
        `Datasets::Ledger` (r:1 w:1), at most 40 bytes an entry
        `Market::Deals` (r:1 w:1), at most 132 bytes an entry
        `Rewards::Eras` (r:1 w:1), at most 81 bytes an entry
        `Rewards::Fees` (r:1 w:1), at most 44 bytes an entry
        `System::Account` (r:2 w:2), at most 128 bytes an entry
        `Timestamp::Now` (r:1 w:0), at most 8 bytes an entry
        Proof: 58785 bytes at most, 7900 + (85 * columns) measured.
        """
        return weight(454_089_356 + 6_688_910 * columns, 58_785) + db(13, 15)
