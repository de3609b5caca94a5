"""Weights of the pallet `multisig`, measured. Do not edit, but run
`gristmill benchmark pallet --pallet multisig`.

2026-11-25, AMD EPYC, 2 cores, CPython 3.11.7
steps 12, repeat 5
"""

from __future__ import annotations

from frame.weights import Weight, WeightTable, db, weight


class Weights(WeightTable):
    """One function a benchmark."""

    @staticmethod
    def as_multi_threshold_1(z: int) -> Weight:
        """Time ~= 106.8 + z 0.009356 µs. Minimum execution time: 99.2 µs.

        `z` is in [0, 10000].

        Proof: 0 bytes at most, 0 measured.
        """
        return weight(106_812_417 + 9_356 * z, 0)

    @staticmethod
    def as_multi_create(s: int, z: int) -> Weight:
        """Time ~= 170.8 + s 0.5826 + z 0.009337 µs. Minimum execution time: 190.2 µs.

        `s` is in [2, 99], `z` is in [0, 10000].

        `Balances::Holds` (r:1 w:1), at most 949 bytes an entry
        `Multisig::Multisigs` (r:1 w:1), at most 3346 bytes an entry
        `System::Account` (r:1 w:1), at most 128 bytes an entry
        Proof: 11848 bytes at most, 1131 + (6 * s) + (1 * z) measured.
        """
        return weight(170_806_139 + 582_587 * s + 9_337 * z, 11_848) + db(3, 3)

    @staticmethod
    def as_multi_approve(s: int, z: int) -> Weight:
        """Time ~= 105.0 + s 1.163 + z 0.008647 µs. Minimum execution time: 165.4 µs.

        `s` is in [3, 99], `z` is in [0, 10000].

        `Multisig::Multisigs` (r:1 w:1), at most 3346 bytes an entry
        Proof: 5821 bytes at most, 503 + (33 * s) measured.
        """
        return weight(104_955_305 + 1_163_042 * s + 8_647 * z, 5_821) + db(1, 1)

    @staticmethod
    def as_multi_complete(s: int, z: int) -> Weight:
        """Time ~= 140.2 + s 1.283 + z 0.009471 µs. Minimum execution time: 219.2 µs.

        `s` is in [2, 99], `z` is in [0, 10000].

        `Balances::Holds` (r:1 w:1), at most 949 bytes an entry
        `Multisig::Multisigs` (r:1 w:1), at most 3346 bytes an entry
        `System::Account` (r:1 w:1), at most 128 bytes an entry
        Proof: 11848 bytes at most, 1480 + (38 * s) + (1 * z) measured.
        """
        return weight(140_199_319 + 1_282_824 * s + 9_471 * z, 11_848) + db(3, 3)

    @staticmethod
    def approve_as_multi_create(s: int) -> Weight:
        """Time ~= 116.2 + s 1.286 µs. Minimum execution time: 113.9 µs.

        `s` is in [2, 99].

        `Balances::Holds` (r:1 w:1), at most 949 bytes an entry
        `Multisig::Multisigs` (r:1 w:1), at most 3346 bytes an entry
        `System::Account` (r:1 w:1), at most 128 bytes an entry
        Proof: 11848 bytes at most, 1309 + (6 * s) measured.
        """
        return weight(116_219_700 + 1_286_041 * s, 11_848) + db(3, 3)

    @staticmethod
    def approve_as_multi_approve(s: int) -> Weight:
        """Time ~= 91.0 + s 0.8936 µs. Minimum execution time: 66.4 µs.

        `s` is in [2, 99].

        `Multisig::Multisigs` (r:1 w:1), at most 3346 bytes an entry
        Proof: 5821 bytes at most, 567 measured.
        """
        return weight(90_978_369 + 893_597 * s, 5_821) + db(1, 1)

    @staticmethod
    def cancel_as_multi(s: int) -> Weight:
        """Time ~= 140.8 + s 0.4182 µs. Minimum execution time: 113.1 µs.

        `s` is in [2, 99].

        `Balances::Holds` (r:1 w:1), at most 949 bytes an entry
        `Multisig::Multisigs` (r:1 w:1), at most 3346 bytes an entry
        `System::Account` (r:1 w:1), at most 128 bytes an entry
        Proof: 11848 bytes at most, 1691 + (6 * s) measured.
        """
        return weight(140_807_750 + 418_179 * s, 11_848) + db(3, 3)

    @staticmethod
    def poke_deposit(s: int) -> Weight:
        """Time ~= 131.2 + s 0.4555 µs. Minimum execution time: 102.6 µs.

        `s` is in [2, 99].

        `Balances::Holds` (r:1 w:1), at most 949 bytes an entry
        `Multisig::Multisigs` (r:1 w:1), at most 3346 bytes an entry
        `System::Account` (r:1 w:1), at most 128 bytes an entry
        Proof: 11848 bytes at most, 1691 + (6 * s) measured.
        """
        return weight(131_191_779 + 455_492 * s, 11_848) + db(3, 3)
