"""Weights of the pallet `system`, measured. Do not edit, but run
`gristmill benchmark pallet --pallet system`.

2026-11-25, AMD EPYC, 2 cores, CPython 3.11.7
steps 12, repeat 6
"""

from __future__ import annotations

from frame.weights import Weight, WeightTable, db, weight


class Weights(WeightTable):
    """One function a benchmark."""

    @staticmethod
    def remark(remark: int) -> Weight:
        """Time ~= 19.9 + remark 0.004895 µs. Minimum execution time: 13.7 µs.

        `remark` is in [0, 3931904].

        Proof: 0 bytes at most, 0 measured.
        """
        return weight(19_944_211 + 4_895 * remark, 0)

    @staticmethod
    def set_heap_pages() -> Weight:
        """Time ~= 33.8 µs. Minimum execution time: 32.4 µs.

        `System::Digest` (r:1 w:1), at most ? bytes an entry
        Proof: 33 bytes at most, 498 measured.
        """
        return weight(33_764_000, 33) + db(1, 1)

    @staticmethod
    def set_storage(items: int) -> Weight:
        """Time ~= 19.9 + items 1.88 µs. Minimum execution time: 15.6 µs.

        `items` is in [0, 1000].

        `keys of no item` (r:0 w:1000), at most ? bytes an entry
        Proof: 0 bytes at most, 0 measured.
        """
        return weight(19_857_852 + 1_880_037 * items, 0) + db(0, items)

    @staticmethod
    def kill_storage(keys: int) -> Weight:
        """Time ~= 22.0 + keys 1.471 µs. Minimum execution time: 16.4 µs.

        `keys` is in [0, 1000].

        `keys of no item` (r:0 w:1000), at most ? bytes an entry
        Proof: 0 bytes at most, 0 measured.
        """
        return weight(22_046_347 + 1_470_726 * keys, 0) + db(0, keys)

    @staticmethod
    def kill_prefix(subkeys: int) -> Weight:
        """Time ~= 41.1 + subkeys 1.886 µs. Minimum execution time: 33.0 µs.

        `subkeys` is in [0, 1000].

        `keys of no item` (r:1003 w:1000), at most ? bytes an entry
        Proof: 7553 + (2555 * subkeys) bytes at most, 1031 + (111 * subkeys) measured.
        """
        return weight(41_128_846 + 1_886_239 * subkeys, 7_553 + 2_555 * subkeys) + db(3 + subkeys, subkeys)

    @staticmethod
    def remark_with_event(remark: int) -> Weight:
        """Time ~= 49.8 + remark 0.006367 µs. Minimum execution time: 31.4 µs.

        `remark` is in [0, 3931904].

        Proof: 0 bytes at most, 0 measured.
        """
        return weight(49_844_218 + 6_367 * remark, 0)
