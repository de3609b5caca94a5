"""Weights of the pallet `multisig`, measured. Do not edit, but run
`gristmill benchmark pallet --pallet multisig`.

2026-11-25, AMD EPYC, 2 cores, CPython 3.11.7
steps 8, repeat 4
"""

from __future__ import annotations

from frame.weights import Weight, WeightTable, db, weight


class Weights(WeightTable):
    """One function a benchmark."""

    @staticmethod
    def as_multi_threshold_1(z: int) -> Weight:
        """Time ~= 90.6 + z 0.003937 µs. Minimum execution time: 83.5 µs.

        `z` is in [0, 10000].

        Proof: 0 bytes at most, 0 measured.
        """
        return weight(90_621_560 + 3_937 * z, 0)

    @staticmethod
    def as_multi_create(s: int, z: int) -> Weight:
        """Time ~= 122.4 + s 0.9303 + z 0.008056 µs. Minimum execution time: 179.9 µs.

        `s` is in [2, 99], `z` is in [0, 10000].

        `Balances::Holds` (r:1 w:1), at most 949 bytes an entry
        `Multisig::Multisigs` (r:1 w:1), at most 3346 bytes an entry
        `System::Account` (r:1 w:1), at most 128 bytes an entry
        Proof: 11848 bytes at most, 1095 + (6 * s) + (1 * z) measured.
        """
        return weight(122_428_761 + 930_280 * s + 8_056 * z, 11_848) + db(3, 3)

    @staticmethod
    def as_multi_approve(s: int, z: int) -> Weight:
        """Time ~= 135.1 + s 1.038 + z 0.007208 µs. Minimum execution time: 148.8 µs.

        `s` is in [3, 99], `z` is in [0, 10000].

        `Multisig::Multisigs` (r:1 w:1), at most 3346 bytes an entry
        Proof: 5821 bytes at most, 503 + (33 * s) + (1 * z) measured.
        """
        return weight(135_061_075 + 1_038_175 * s + 7_208 * z, 5_821) + db(1, 1)

    @staticmethod
    def as_multi_complete(s: int, z: int) -> Weight:
        """Time ~= 228.8 + s 1.3 + z 0.003663 µs. Minimum execution time: 170.8 µs.

        `s` is in [2, 99], `z` is in [0, 10000].

        `Balances::Holds` (r:1 w:1), at most 949 bytes an entry
        `Multisig::Multisigs` (r:1 w:1), at most 3346 bytes an entry
        `System::Account` (r:1 w:1), at most 128 bytes an entry
        Proof: 11848 bytes at most, 1445 + (38 * s) + (1 * z) measured.
        """
        return weight(228_803_791 + 1_300_318 * s + 3_663 * z, 11_848) + db(3, 3)

    @staticmethod
    def approve_as_multi_create(s: int) -> Weight:
        """Time ~= 186.8 + s 0.5201 µs. Minimum execution time: 129.5 µs.

        `s` is in [2, 99].

        `Balances::Holds` (r:1 w:1), at most 949 bytes an entry
        `Multisig::Multisigs` (r:1 w:1), at most 3346 bytes an entry
        `System::Account` (r:1 w:1), at most 128 bytes an entry
        Proof: 11848 bytes at most, 1284 + (7 * s) measured.
        """
        return weight(186_759_495 + 520_119 * s, 11_848) + db(3, 3)

    @staticmethod
    def approve_as_multi_approve(s: int) -> Weight:
        """Time ~= 127.3 + s 0.2522 µs. Minimum execution time: 69.6 µs.

        `s` is in [2, 99].

        `Multisig::Multisigs` (r:1 w:1), at most 3346 bytes an entry
        Proof: 5821 bytes at most, 567 measured.
        """
        return weight(127_310_289 + 252_182 * s, 5_821) + db(1, 1)

    @staticmethod
    def cancel_as_multi(s: int) -> Weight:
        """Time ~= 155.0 + s 1.442 µs. Minimum execution time: 108.0 µs.

        `s` is in [2, 99].

        `Balances::Holds` (r:1 w:1), at most 949 bytes an entry
        `Multisig::Multisigs` (r:1 w:1), at most 3346 bytes an entry
        `System::Account` (r:1 w:1), at most 128 bytes an entry
        Proof: 11848 bytes at most, 1666 + (7 * s) measured.
        """
        return weight(154_990_763 + 1_442_217 * s, 11_848) + db(3, 3)

    @staticmethod
    def poke_deposit(s: int) -> Weight:
        """Time ~= 172.1 + s 1.223 µs. Minimum execution time: 122.0 µs.

        `s` is in [2, 99].

        `Balances::Holds` (r:1 w:1), at most 949 bytes an entry
        `Multisig::Multisigs` (r:1 w:1), at most 3346 bytes an entry
        `System::Account` (r:1 w:1), at most 128 bytes an entry
        Proof: 11848 bytes at most, 1666 + (7 * s) measured.
        """
        return weight(172_149_456 + 1_222_682 * s, 11_848) + db(3, 3)
