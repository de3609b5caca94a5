"""Weights of the pallet `compute`, measured. Do not edit, but run
`gristmill benchmark pallet --pallet compute`.

2026-11-25, AMD EPYC, 2 cores, CPython 3.11.7
steps 50, repeat 20; reference time: timings × 0.64 (0.17 to 0.99)
"""

from __future__ import annotations

from frame.weights import Weight, WeightTable, db, weight


class Weights(WeightTable):
    """One function a benchmark."""

    @staticmethod
    def submit(columns: int, trainable: int, numbers: int) -> Weight:
        """Time ~= 525.9 + columns 4.697 + trainable 3.06 + numbers 0.1683 µs. Minimum execution time: 1157.9
        µs.

        `columns` is in [1, 256], `trainable` is in [0, 256], `numbers` is in [0, 1024].

        `Balances::Holds` (r:1 w:1), at most 949 bytes an entry
        `Blobs::Blobs` (r:1 w:1), at most 133 bytes an entry
        `Compute::Jobs` (r:0 w:1), at most 485 bytes an entry
        `Compute::NextJobId` (r:1 w:1), at most 4 bytes an entry
        `Compute::OpenJobs` (r:0 w:2), at most 61 bytes an entry
        `Compute::Orders` (r:0 w:1), at most 75644 bytes an entry
        `Datasets::Datasets` (r:1 w:0), at most 25875 bytes an entry
        `Datasets::Ledger` (r:1 w:1), at most 40 bytes an entry
        `Market::Deals` (r:0 w:1), at most 132 bytes an entry
        `Market::Listings` (r:1 w:0), at most 125 bytes an entry
        `System::Account` (r:1 w:1), at most 128 bytes an entry
        `Timestamp::Now` (r:1 w:0), at most 8 bytes an entry
        Proof: 42112 bytes at most, 6469 + (85 * columns) + (1 * trainable) + (1 * numbers) measured.
        """
        return weight(
            525_936_933 + 4_697_349 * columns + 3_060_147 * trainable + 168_310 * numbers, 42_112
        ) + db(8, 10)

    @staticmethod
    def cancel(columns: int) -> Weight:
        """Time ~= 349.9 + columns 5.27 µs. Minimum execution time: 289.5 µs.

        `columns` is in [1, 256].

        `Balances::Holds` (r:2 w:2), at most 949 bytes an entry
        `Blobs::Blobs` (r:1 w:1), at most 133 bytes an entry
        `Compute::Jobs` (r:1 w:1), at most 485 bytes an entry
        `Compute::OpenJobs` (r:0 w:2), at most 61 bytes an entry
        `Compute::Orders` (r:0 w:1), at most 75644 bytes an entry
        `Datasets::Datasets` (r:1 w:1), at most 25875 bytes an entry
        `Datasets::Ledger` (r:1 w:1), at most 40 bytes an entry
        `Market::Deals` (r:1 w:1), at most 132 bytes an entry
        `System::Account` (r:2 w:2), at most 128 bytes an entry
        `Timestamp::Now` (r:1 w:0), at most 8 bytes an entry
        Proof: 51102 bytes at most, 7415 + (85 * columns) measured.
        """
        return weight(349_897_982 + 5_270_034 * columns, 51_102) + db(10, 12)

    @staticmethod
    def reject(columns: int) -> Weight:
        """Time ~= 348.8 + columns 5.292 µs. Minimum execution time: 287.9 µs.

        `columns` is in [1, 256].

        `Balances::Holds` (r:2 w:2), at most 949 bytes an entry
        `Blobs::Blobs` (r:1 w:1), at most 133 bytes an entry
        `Compute::Jobs` (r:1 w:1), at most 485 bytes an entry
        `Compute::OpenJobs` (r:0 w:2), at most 61 bytes an entry
        `Compute::Orders` (r:0 w:1), at most 75644 bytes an entry
        `Datasets::Datasets` (r:1 w:1), at most 25875 bytes an entry
        `Datasets::Ledger` (r:1 w:1), at most 40 bytes an entry
        `Market::Deals` (r:1 w:1), at most 132 bytes an entry
        `System::Account` (r:2 w:2), at most 128 bytes an entry
        `Timestamp::Now` (r:1 w:0), at most 8 bytes an entry
        Proof: 51102 bytes at most, 7415 + (85 * columns) measured.
        """
        return weight(348_842_699 + 5_292_356 * columns, 51_102) + db(10, 12)

    @staticmethod
    def accept() -> Weight:
        """Time ~= 124.5 µs. Minimum execution time: 87.3 µs.

        `Balances::Holds` (r:1 w:1), at most 949 bytes an entry
        `Compute::Jobs` (r:1 w:1), at most 485 bytes an entry
        `Market::Deals` (r:1 w:1), at most 132 bytes an entry
        `System::Account` (r:1 w:1), at most 128 bytes an entry
        `System::ParentHash` (r:1 w:0), at most 32 bytes an entry
        `Timestamp::Now` (r:1 w:0), at most 8 bytes an entry
        Proof: 11634 bytes at most, 2203 measured.
        """
        return weight(124_503_389, 11_634) + db(6, 4)

    @staticmethod
    def submit_result() -> Weight:
        """Time ~= 87.9 µs. Minimum execution time: 63.4 µs.

        `Blobs::Blobs` (r:1 w:1), at most 133 bytes an entry
        `Compute::Jobs` (r:1 w:1), at most 485 bytes an entry
        `Datasets::Ledger` (r:1 w:1), at most 40 bytes an entry
        `Timestamp::Now` (r:1 w:0), at most 8 bytes an entry
        Proof: 8091 bytes at most, 1817 measured.
        """
        return weight(87_885_044, 8_091) + db(4, 3)

    @staticmethod
    def fail(columns: int) -> Weight:
        """Time ~= 394.7 + columns 5.266 µs. Minimum execution time: 257.2 µs.

        `columns` is in [1, 256].

        `Balances::Holds` (r:2 w:2), at most 949 bytes an entry
        `Blobs::Blobs` (r:1 w:1), at most 133 bytes an entry
        `Compute::Jobs` (r:1 w:1), at most 485 bytes an entry
        `Compute::OpenJobs` (r:0 w:2), at most 61 bytes an entry
        `Compute::Orders` (r:0 w:1), at most 75644 bytes an entry
        `Datasets::Datasets` (r:1 w:1), at most 25875 bytes an entry
        `Datasets::Ledger` (r:1 w:1), at most 40 bytes an entry
        `Market::Deals` (r:1 w:1), at most 132 bytes an entry
        `System::Account` (r:2 w:2), at most 128 bytes an entry
        `Timestamp::Now` (r:1 w:0), at most 8 bytes an entry
        Proof: 51102 bytes at most, 7615 + (85 * columns) measured.
        """
        return weight(394_680_649 + 5_266_451 * columns, 51_102) + db(10, 12)

    @staticmethod
    def confirm(columns: int) -> Weight:
        """Time ~= 452.1 + columns 5.283 µs. Minimum execution time: 328.3 µs.

        `columns` is in [1, 256].

        `Balances::Holds` (r:2 w:2), at most 949 bytes an entry
        `Blobs::Blobs` (r:2 w:2), at most 133 bytes an entry
        `Compute::Jobs` (r:1 w:1), at most 485 bytes an entry
        `Compute::OpenJobs` (r:0 w:2), at most 61 bytes an entry
        `Compute::Orders` (r:0 w:1), at most 75644 bytes an entry
        `Datasets::Datasets` (r:1 w:1), at most 25875 bytes an entry
        `Datasets::Ledger` (r:1 w:1), at most 40 bytes an entry
        `Market::Deals` (r:1 w:1), at most 132 bytes an entry
        `Rewards::Eras` (r:1 w:1), at most 81 bytes an entry
        `Rewards::Fees` (r:1 w:1), at most 44 bytes an entry
        `System::Account` (r:2 w:2), at most 128 bytes an entry
        `Timestamp::Now` (r:1 w:0), at most 8 bytes an entry
        Proof: 58785 bytes at most, 7966 + (85 * columns) measured.
        """
        return weight(452_095_473 + 5_283_283 * columns, 58_785) + db(13, 15)

    @staticmethod
    def expire_unaccepted(columns: int) -> Weight:
        """Time ~= 349.3 + columns 5.3 µs. Minimum execution time: 250.6 µs.

        `columns` is in [1, 256].

        `Balances::Holds` (r:2 w:2), at most 949 bytes an entry
        `Blobs::Blobs` (r:1 w:1), at most 133 bytes an entry
        `Compute::Jobs` (r:1 w:1), at most 485 bytes an entry
        `Compute::OpenJobs` (r:0 w:2), at most 61 bytes an entry
        `Compute::Orders` (r:0 w:1), at most 75644 bytes an entry
        `Datasets::Datasets` (r:1 w:1), at most 25875 bytes an entry
        `Datasets::Ledger` (r:1 w:1), at most 40 bytes an entry
        `Market::Deals` (r:1 w:1), at most 132 bytes an entry
        `System::Account` (r:2 w:2), at most 128 bytes an entry
        `Timestamp::Now` (r:1 w:0), at most 8 bytes an entry
        Proof: 51102 bytes at most, 7502 + (85 * columns) measured.
        """
        return weight(349_343_614 + 5_299_879 * columns, 51_102) + db(10, 12)

    @staticmethod
    def expire_undelivered(columns: int) -> Weight:
        """Time ~= 412.4 + columns 5.219 µs. Minimum execution time: 338.7 µs.

        `columns` is in [1, 256].

        `Balances::Holds` (r:2 w:2), at most 949 bytes an entry
        `Blobs::Blobs` (r:1 w:1), at most 133 bytes an entry
        `Compute::Jobs` (r:1 w:1), at most 485 bytes an entry
        `Compute::OpenJobs` (r:0 w:2), at most 61 bytes an entry
        `Compute::Orders` (r:0 w:1), at most 75644 bytes an entry
        `Datasets::Datasets` (r:1 w:1), at most 25875 bytes an entry
        `Datasets::Ledger` (r:1 w:1), at most 40 bytes an entry
        `Market::Deals` (r:1 w:1), at most 132 bytes an entry
        `System::Account` (r:2 w:2), at most 128 bytes an entry
        `Timestamp::Now` (r:1 w:0), at most 8 bytes an entry
        Proof: 51102 bytes at most, 7615 + (85 * columns) measured.
        """
        return weight(412_440_299 + 5_219_491 * columns, 51_102) + db(10, 12)

    @staticmethod
    def expire_unconfirmed(columns: int) -> Weight:
        """Time ~= 444.2 + columns 5.314 µs. Minimum execution time: 323.4 µs.

        `columns` is in [1, 256].

        `Balances::Holds` (r:2 w:2), at most 949 bytes an entry
        `Blobs::Blobs` (r:2 w:2), at most 133 bytes an entry
        `Compute::Jobs` (r:1 w:1), at most 485 bytes an entry
        `Compute::OpenJobs` (r:0 w:2), at most 61 bytes an entry
        `Compute::Orders` (r:0 w:1), at most 75644 bytes an entry
        `Datasets::Datasets` (r:1 w:1), at most 25875 bytes an entry
        `Datasets::Ledger` (r:1 w:1), at most 40 bytes an entry
        `Market::Deals` (r:1 w:1), at most 132 bytes an entry
        `Rewards::Eras` (r:1 w:1), at most 81 bytes an entry
        `Rewards::Fees` (r:1 w:1), at most 44 bytes an entry
        `System::Account` (r:2 w:2), at most 128 bytes an entry
        `Timestamp::Now` (r:1 w:0), at most 8 bytes an entry
        Proof: 58785 bytes at most, 7966 + (85 * columns) measured.
        """
        return weight(444_238_845 + 5_313_668 * columns, 58_785) + db(13, 15)
