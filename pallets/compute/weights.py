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
        """Time ~= 1028.0 + columns 7.662 + trainable 4.329 + numbers 0 µs. Minimum execution time: 1381.6 µs.

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
        return weight(1_028_044_500 + 7_661_893 * columns + 4_328_889 * trainable, 42_112) + db(8, 10)

    @staticmethod
    def cancel(columns: int) -> Weight:
        """Time ~= 694.5 + columns 8.289 µs. Minimum execution time: 391.9 µs.

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
        return weight(694_457_627 + 8_288_723 * columns, 51_102) + db(10, 12)

    @staticmethod
    def reject(columns: int) -> Weight:
        """Time ~= 694.9 + columns 6.401 µs. Minimum execution time: 569.2 µs.

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
        return weight(694_908_868 + 6_401_461 * columns, 51_102) + db(10, 12)

    @staticmethod
    def accept() -> Weight:
        """Time ~= 216.9 µs. Minimum execution time: 145.7 µs.

        `Balances::Holds` (r:1 w:1), at most 949 bytes an entry
        `Compute::Jobs` (r:1 w:1), at most 485 bytes an entry
        `Market::Deals` (r:1 w:1), at most 132 bytes an entry
        `System::Account` (r:1 w:1), at most 128 bytes an entry
        `System::ParentHash` (r:1 w:0), at most 32 bytes an entry
        `Timestamp::Now` (r:1 w:0), at most 8 bytes an entry
        Proof: 11634 bytes at most, 2203 measured.
        """
        return weight(216_920_514, 11_634) + db(6, 4)

    @staticmethod
    def submit_result() -> Weight:
        """Time ~= 161.2 µs. Minimum execution time: 107.5 µs.

        `Blobs::Blobs` (r:1 w:1), at most 133 bytes an entry
        `Compute::Jobs` (r:1 w:1), at most 485 bytes an entry
        `Datasets::Ledger` (r:1 w:1), at most 40 bytes an entry
        `Timestamp::Now` (r:1 w:0), at most 8 bytes an entry
        Proof: 8091 bytes at most, 1817 measured.
        """
        return weight(161_245_312, 8_091) + db(4, 3)

    @staticmethod
    def fail(columns: int) -> Weight:
        """Time ~= 631.0 + columns 7.774 µs. Minimum execution time: 410.2 µs.

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
        return weight(631_010_123 + 7_773_616 * columns, 51_102) + db(10, 12)

    @staticmethod
    def confirm(columns: int) -> Weight:
        """Time ~= 711.3 + columns 6.876 µs. Minimum execution time: 537.6 µs.

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
        return weight(711_322_520 + 6_875_829 * columns, 58_785) + db(13, 15)

    @staticmethod
    def expire_unaccepted(columns: int) -> Weight:
        """Time ~= 605.9 + columns 7.071 µs. Minimum execution time: 455.8 µs.

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
        return weight(605_928_660 + 7_070_613 * columns, 51_102) + db(10, 12)

    @staticmethod
    def expire_undelivered(columns: int) -> Weight:
        """Time ~= 682.9 + columns 6.288 µs. Minimum execution time: 492.9 µs.

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
        return weight(682_941_474 + 6_288_093 * columns, 51_102) + db(10, 12)

    @staticmethod
    def expire_unconfirmed(columns: int) -> Weight:
        """Time ~= 656.5 + columns 8.311 µs. Minimum execution time: 520.9 µs.

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
        return weight(656_501_735 + 8_310_986 * columns, 58_785) + db(13, 15)
