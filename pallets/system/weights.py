"""Weights of the pallet `system`, measured. Do not edit, but run
`gristmill benchmark pallet --pallet system`.

2026-11-25, AMD EPYC, 2 cores, CPython 3.11.7
steps 50, repeat 20; reference time: timings × 0.62 (0.30 to 1.00)
"""

from __future__ import annotations

from frame.weights import Weight, WeightTable, db, weight


class Weights(WeightTable):
    """One function a benchmark."""

    @staticmethod
    def remark(remark: int) -> Weight:
        """Time ~= 10.5 + remark 0.006342 µs. Minimum execution time: 8.4 µs.

        `remark` is in [0, 3931904].

        Proof: 0 bytes at most, 0 measured.
        """
        return weight(10_466_598 + 6_342 * remark, 0)

    @staticmethod
    def set_heap_pages() -> Weight:
        """Time ~= 21.2 µs. Minimum execution time: 16.2 µs.

        `System::Digest` (r:1 w:1), at most ? bytes an entry
        Proof: 33 bytes at most, 498 measured.
        """
        return weight(21_247_000, 33) + db(1, 1)

    @staticmethod
    def set_storage(items: int) -> Weight:
        """Time ~= 11.4 + items 1.872 µs. Minimum execution time: 9.7 µs.

        `items` is in [0, 1000].

        `keys of no item` (r:0 w:1000), at most ? bytes an entry
        Proof: 0 bytes at most, 0 measured.
        """
        return weight(11_384_667 + 1_871_890 * items, 0) + db(0, items)

    @staticmethod
    def kill_storage(keys: int) -> Weight:
        """Time ~= 11.9 + keys 1.536 µs. Minimum execution time: 9.1 µs.

        `keys` is in [0, 1000].

        `keys of no item` (r:0 w:1000), at most ? bytes an entry
        Proof: 0 bytes at most, 0 measured.
        """
        return weight(11_945_416 + 1_536_372 * keys, 0) + db(0, keys)

    @staticmethod
    def kill_prefix(subkeys: int) -> Weight:
        """Time ~= 26.2 + subkeys 1.74 µs. Minimum execution time: 18.3 µs.

        `subkeys` is in [0, 1000].

        `keys of no item` (r:1003 w:1000), at most ? bytes an entry
        Proof: 7665 + (2555 * subkeys) bytes at most, 499 + (112 * subkeys) measured.
        """
        return weight(26_181_128 + 1_739_832 * subkeys, 7_665 + 2_555 * subkeys) + db(3 + subkeys, subkeys)

    @staticmethod
    def remark_with_event(remark: int) -> Weight:
        """Time ~= 26.9 + remark 0.007439 µs. Minimum execution time: 20.0 µs.

        `remark` is in [0, 3931904].

        Proof: 0 bytes at most, 0 measured.
        """
        return weight(26_935_797 + 7_439 * remark, 0)
