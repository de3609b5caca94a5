"""Weights of the pallet `compute`, measured. Do not edit, but run
`gristmill benchmark pallet --pallet compute`.

2026-11-25, AMD EPYC, 2 cores, CPython 3.11.7
steps 12, repeat 6
"""

from __future__ import annotations

from frame.weights import Weight, WeightTable, db, weight


class Weights(WeightTable):
    """One function a benchmark."""

    @staticmethod
    def submit(columns: int, trainable: int, numbers: int) -> Weight:
        """Time ~= 1183.2 + columns 8.375 + trainable 2.38 + numbers 0 µs. Minimum execution time: 1443.8 µs.

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
        Proof: 42112 bytes at most, 6469 + (85 * columns) + (1 * trainable) + (1 * numbers) measured.
        """
        return weight(1_183_157_558 + 8_375_444 * columns + 2_379_580 * trainable, 42_112) + db(8, 10)

    @staticmethod
    def cancel(columns: int) -> Weight:
        """Time ~= 563.4 + columns 7.238 µs. Minimum execution time: 409.2 µs.

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
        Proof: 51102 bytes at most, 7415 + (85 * columns) measured.
        """
        return weight(563_395_235 + 7_237_629 * columns, 51_102) + db(10, 12)

    @staticmethod
    def reject(columns: int) -> Weight:
        """Time ~= 565.6 + columns 7.328 µs. Minimum execution time: 433.5 µs.

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
        Proof: 51102 bytes at most, 7415 + (85 * columns) measured.
        """
        return weight(565_550_327 + 7_327_501 * columns, 51_102) + db(10, 12)

    @staticmethod
    def accept() -> Weight:
        """Time ~= 197.6 µs. Minimum execution time: 175.6 µs.

        `Balances::Holds` (r:1 w:1), at most 949 bytes an entry
        `Compute::Jobs` (r:1 w:1), at most 485 bytes an entry
        `Market::Deals` (r:1 w:1), at most 132 bytes an entry
        `System::Account` (r:1 w:1), at most 128 bytes an entry
        `System::ParentHash` (r:1 w:0), at most 32 bytes an entry
        `Timestamp::Now` (r:1 w:0), at most 8 bytes an entry
        Proof: 11634 bytes at most, 2203 measured.
        """
        return weight(197_565_514, 11_634) + db(6, 4)

    @staticmethod
    def submit_result() -> Weight:
        """Time ~= 133.5 µs. Minimum execution time: 117.2 µs.

        `Blobs::Blobs` (r:1 w:1), at most 133 bytes an entry
        `Compute::Jobs` (r:1 w:1), at most 485 bytes an entry
        `Datasets::Ledger` (r:1 w:1), at most 40 bytes an entry
        `Timestamp::Now` (r:1 w:0), at most 8 bytes an entry
        Proof: 8091 bytes at most, 1817 measured.
        """
        return weight(133_463_312, 8_091) + db(4, 3)

    @staticmethod
    def fail(columns: int) -> Weight:
        """Time ~= 568.9 + columns 7.878 µs. Minimum execution time: 444.2 µs.

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
        Proof: 51102 bytes at most, 7615 + (85 * columns) measured.
        """
        return weight(568_875_791 + 7_878_337 * columns, 51_102) + db(10, 12)

    @staticmethod
    def confirm(columns: int) -> Weight:
        """Time ~= 743.7 + columns 7.935 µs. Minimum execution time: 584.0 µs.

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
        Proof: 58785 bytes at most, 7966 + (85 * columns) measured.
        """
        return weight(743_745_315 + 7_935_194 * columns, 58_785) + db(13, 15)

    @staticmethod
    def expire_unaccepted(columns: int) -> Weight:
        """Time ~= 763.0 + columns 8.202 µs. Minimum execution time: 419.5 µs.

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
        Proof: 51102 bytes at most, 7502 + (85 * columns) measured.
        """
        return weight(762_955_755 + 8_201_663 * columns, 51_102) + db(10, 12)

    @staticmethod
    def expire_undelivered(columns: int) -> Weight:
        """Time ~= 770.3 + columns 7.443 µs. Minimum execution time: 490.5 µs.

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
        Proof: 51102 bytes at most, 7615 + (85 * columns) measured.
        """
        return weight(770_322_678 + 7_442_626 * columns, 51_102) + db(10, 12)

    @staticmethod
    def expire_unconfirmed(columns: int) -> Weight:
        """Time ~= 708.1 + columns 8.98 µs. Minimum execution time: 579.2 µs.

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
        Proof: 58785 bytes at most, 7966 + (85 * columns) measured.
        """
        return weight(708_094_905 + 8_979_984 * columns, 58_785) + db(13, 15)
