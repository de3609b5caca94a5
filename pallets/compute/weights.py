"""Weights of the pallet `compute`, measured. Do not edit, but run
`gristmill benchmark pallet --pallet compute`.

2026-11-25, AMD EPYC, 2 cores, CPython 3.11.7
steps 20, repeat 6
"""

from __future__ import annotations

from frame.weights import Weight, WeightTable, db, weight


class Weights(WeightTable):
    """One function a benchmark."""

    @staticmethod
    def submit(columns: int, trainable: int, numbers: int) -> Weight:
        """Time ~= 1190.3 + columns 5.982 + trainable 2.343 + numbers 0 µs. Minimum execution time: 1120.6 µs.

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
        return weight(1_190_282_000 + 5_981_610 * columns + 2_343_037 * trainable, 42_112) + db(8, 10)

    @staticmethod
    def cancel(columns: int) -> Weight:
        """Time ~= 398.0 + columns 6.233 µs. Minimum execution time: 346.4 µs.

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
        return weight(398_020_200 + 6_232_605 * columns, 51_102) + db(10, 12)

    @staticmethod
    def reject(columns: int) -> Weight:
        """Time ~= 368.7 + columns 6.627 µs. Minimum execution time: 350.5 µs.

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
        return weight(368_682_356 + 6_627_261 * columns, 51_102) + db(10, 12)

    @staticmethod
    def accept() -> Weight:
        """Time ~= 165.8 µs. Minimum execution time: 141.7 µs.

        `Balances::Holds` (r:1 w:1), at most 949 bytes an entry
        `Compute::Jobs` (r:1 w:1), at most 485 bytes an entry
        `Market::Deals` (r:1 w:1), at most 132 bytes an entry
        `System::Account` (r:1 w:1), at most 128 bytes an entry
        `System::ParentHash` (r:1 w:0), at most 32 bytes an entry
        `Timestamp::Now` (r:1 w:0), at most 8 bytes an entry
        Proof: 11634 bytes at most, 2137 measured.
        """
        return weight(165_850_000, 11_634) + db(6, 4)

    @staticmethod
    def submit_result() -> Weight:
        """Time ~= 122.5 µs. Minimum execution time: 94.8 µs.

        `Blobs::Blobs` (r:1 w:1), at most 133 bytes an entry
        `Compute::Jobs` (r:1 w:1), at most 485 bytes an entry
        `Datasets::Ledger` (r:1 w:1), at most 40 bytes an entry
        `Timestamp::Now` (r:1 w:0), at most 8 bytes an entry
        Proof: 8091 bytes at most, 1751 measured.
        """
        return weight(122_479_000, 8_091) + db(4, 3)

    @staticmethod
    def fail(columns: int) -> Weight:
        """Time ~= 366.1 + columns 7.878 µs. Minimum execution time: 386.0 µs.

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
        return weight(366_139_902 + 7_877_713 * columns, 51_102) + db(10, 12)

    @staticmethod
    def confirm(columns: int) -> Weight:
        """Time ~= 606.3 + columns 6.193 µs. Minimum execution time: 463.3 µs.

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
        return weight(606_271_685 + 6_192_771 * columns, 58_785) + db(13, 15)

    @staticmethod
    def expire_unaccepted(columns: int) -> Weight:
        """Time ~= 544.0 + columns 5.81 µs. Minimum execution time: 342.0 µs.

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
        return weight(543_970_606 + 5_809_959 * columns, 51_102) + db(10, 12)

    @staticmethod
    def expire_undelivered(columns: int) -> Weight:
        """Time ~= 358.7 + columns 7.423 µs. Minimum execution time: 411.9 µs.

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
        return weight(358_691_923 + 7_422_899 * columns, 51_102) + db(10, 12)

    @staticmethod
    def expire_unconfirmed(columns: int) -> Weight:
        """Time ~= 566.8 + columns 6.757 µs. Minimum execution time: 464.3 µs.

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
        return weight(566_815_079 + 6_756_593 * columns, 58_785) + db(13, 15)
