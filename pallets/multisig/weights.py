"""Weights of the pallet `multisig`, measured. Do not edit, but run
`gristmill benchmark pallet --pallet multisig`.

2026-11-25, AMD EPYC, 2 cores, CPython 3.11.7
steps 50, repeat 20; reference time: timings × 0.83 (0.25 to 1.00)
"""

from __future__ import annotations

from frame.weights import Weight, WeightTable, db, weight


class Weights(WeightTable):
    """One function a benchmark."""

    @staticmethod
    def as_multi_threshold_1(z: int) -> Weight:
        """Time ~= 87.5 + z 0.00651 µs. Minimum execution time: 72.3 µs.

        `z` is in [0, 10000].

        Proof: 0 bytes at most, 0 measured.
        """
        return weight(87_506_849 + 6_510 * z, 0)

    @staticmethod
    def as_multi_create(s: int, z: int) -> Weight:
        """Time ~= 121.0 + s 0.5238 + z 0.006886 µs. Minimum execution time: 133.6 µs.

        `s` is in [2, 99], `z` is in [0, 10000].

        `Balances::Holds` (r:1 w:1), at most 949 bytes an entry
        `Multisig::Multisigs` (r:1 w:1), at most 3346 bytes an entry
        `System::Account` (r:1 w:1), at most 128 bytes an entry
        Proof: 11848 bytes at most, 887 measured.
        """
        return weight(121_018_301 + 523_780 * s + 6_886 * z, 11_848) + db(3, 3)

    @staticmethod
    def as_multi_approve(s: int, z: int) -> Weight:
        """Time ~= 62.7 + s 1.093 + z 0.008006 µs. Minimum execution time: 113.6 µs.

        `s` is in [3, 99], `z` is in [0, 10000].

        `Multisig::Multisigs` (r:1 w:1), at most 3346 bytes an entry
        Proof: 5821 bytes at most, 503 + (33 * s) + (1 * z) measured.
        """
        return weight(62_694_091 + 1_093_000 * s + 8_006 * z, 5_821) + db(1, 1)

    @staticmethod
    def as_multi_complete(s: int, z: int) -> Weight:
        """Time ~= 118.1 + s 0.7391 + z 0.007598 µs. Minimum execution time: 140.9 µs.

        `s` is in [2, 99], `z` is in [0, 10000].

        `Balances::Holds` (r:1 w:1), at most 949 bytes an entry
        `Multisig::Multisigs` (r:1 w:1), at most 3346 bytes an entry
        `System::Account` (r:1 w:1), at most 128 bytes an entry
        Proof: 11848 bytes at most, 1306 + (33 * s) + (1 * z) measured.
        """
        return weight(118_142_438 + 739_060 * s + 7_598 * z, 11_848) + db(3, 3)

    @staticmethod
    def approve_as_multi_create(s: int) -> Weight:
        """Time ~= 103.1 + s 0.6394 µs. Minimum execution time: 71.0 µs.

        `s` is in [2, 99].

        `Balances::Holds` (r:1 w:1), at most 949 bytes an entry
        `Multisig::Multisigs` (r:1 w:1), at most 3346 bytes an entry
        `System::Account` (r:1 w:1), at most 128 bytes an entry
        Proof: 11848 bytes at most, 887 measured.
        """
        return weight(103_054_348 + 639_390 * s, 11_848) + db(3, 3)

    @staticmethod
    def approve_as_multi_approve(s: int) -> Weight:
        """Time ~= 62.8 + s 0.6278 µs. Minimum execution time: 41.1 µs.

        `s` is in [2, 99].

        `Multisig::Multisigs` (r:1 w:1), at most 3346 bytes an entry
        Proof: 5821 bytes at most, 567 measured.
        """
        return weight(62_836_597 + 627_773 * s, 5_821) + db(1, 1)

    @staticmethod
    def cancel_as_multi(s: int) -> Weight:
        """Time ~= 95.3 + s 0.6508 µs. Minimum execution time: 70.6 µs.

        `s` is in [2, 99].

        `Balances::Holds` (r:1 w:1), at most 949 bytes an entry
        `Multisig::Multisigs` (r:1 w:1), at most 3346 bytes an entry
        `System::Account` (r:1 w:1), at most 128 bytes an entry
        Proof: 11848 bytes at most, 1269 measured.
        """
        return weight(95_257_273 + 650_770 * s, 11_848) + db(3, 3)

    @staticmethod
    def poke_deposit(s: int) -> Weight:
        """Time ~= 96.8 + s 0.6596 µs. Minimum execution time: 54.6 µs.

        `s` is in [2, 99].

        `Balances::Holds` (r:1 w:1), at most 949 bytes an entry
        `Multisig::Multisigs` (r:1 w:1), at most 3346 bytes an entry
        `System::Account` (r:1 w:1), at most 128 bytes an entry
        Proof: 11848 bytes at most, 1269 measured.
        """
        return weight(96_782_995 + 659_624 * s, 11_848) + db(3, 3)
