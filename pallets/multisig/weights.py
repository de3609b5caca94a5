"""Weights of the pallet `multisig`, measured. Do not edit, but run
`gristmill benchmark pallet --pallet multisig`.

2026-11-25, AMD EPYC, 2 cores, CPython 3.11.7
steps 12, repeat 6
"""

from __future__ import annotations

from frame.weights import Weight, WeightTable, db, weight


class Weights(WeightTable):
    """One function a benchmark."""

    @staticmethod
    def as_multi_threshold_1(z: int) -> Weight:
        """Time ~= 109.4 + z 0.003697 µs. Minimum execution time: 94.4 µs.

        `z` is in [0, 10000].

        Proof: 0 bytes at most, 0 measured.
        """
        return weight(109_442_808 + 3_697 * z, 0)

    @staticmethod
    def as_multi_create(s: int, z: int) -> Weight:
        """Time ~= 169.5 + s 0.4621 + z 0.005424 µs. Minimum execution time: 194.1 µs.

        `s` is in [2, 99], `z` is in [0, 10000].

        `Balances::Holds` (r:1 w:1), at most 949 bytes an entry
        `Multisig::Multisigs` (r:1 w:1), at most 3346 bytes an entry
        `System::Account` (r:1 w:1), at most 128 bytes an entry
        Proof: 11848 bytes at most, 1131 + (6 * s) + (1 * z) measured.
        """
        return weight(169_542_025 + 462_073 * s + 5_424 * z, 11_848) + db(3, 3)

    @staticmethod
    def as_multi_approve(s: int, z: int) -> Weight:
        """Time ~= 96.6 + s 0.9372 + z 0.006046 µs. Minimum execution time: 146.2 µs.

        `s` is in [3, 99], `z` is in [0, 10000].

        `Multisig::Multisigs` (r:1 w:1), at most 3346 bytes an entry
        Proof: 5821 bytes at most, 503 + (33 * s) measured.
        """
        return weight(96_633_079 + 937_245 * s + 6_046 * z, 5_821) + db(1, 1)

    @staticmethod
    def as_multi_complete(s: int, z: int) -> Weight:
        """Time ~= 180.7 + s 0.9068 + z 0.005436 µs. Minimum execution time: 205.6 µs.

        `s` is in [2, 99], `z` is in [0, 10000].

        `Balances::Holds` (r:1 w:1), at most 949 bytes an entry
        `Multisig::Multisigs` (r:1 w:1), at most 3346 bytes an entry
        `System::Account` (r:1 w:1), at most 128 bytes an entry
        Proof: 11848 bytes at most, 1480 + (38 * s) + (1 * z) measured.
        """
        return weight(180_732_255 + 906_753 * s + 5_436 * z, 11_848) + db(3, 3)

    @staticmethod
    def approve_as_multi_create(s: int) -> Weight:
        """Time ~= 183.8 + s 0.2973 µs. Minimum execution time: 137.9 µs.

        `s` is in [2, 99].

        `Balances::Holds` (r:1 w:1), at most 949 bytes an entry
        `Multisig::Multisigs` (r:1 w:1), at most 3346 bytes an entry
        `System::Account` (r:1 w:1), at most 128 bytes an entry
        Proof: 11848 bytes at most, 1309 + (6 * s) measured.
        """
        return weight(183_818_986 + 297_300 * s, 11_848) + db(3, 3)

    @staticmethod
    def approve_as_multi_approve(s: int) -> Weight:
        """Time ~= 81.1 + s 0.7926 µs. Minimum execution time: 78.9 µs.

        `s` is in [2, 99].

        `Multisig::Multisigs` (r:1 w:1), at most 3346 bytes an entry
        Proof: 5821 bytes at most, 567 measured.
        """
        return weight(81_098_233 + 792_602 * s, 5_821) + db(1, 1)

    @staticmethod
    def cancel_as_multi(s: int) -> Weight:
        """Time ~= 175.0 + s 0.4882 µs. Minimum execution time: 121.5 µs.

        `s` is in [2, 99].

        `Balances::Holds` (r:1 w:1), at most 949 bytes an entry
        `Multisig::Multisigs` (r:1 w:1), at most 3346 bytes an entry
        `System::Account` (r:1 w:1), at most 128 bytes an entry
        Proof: 11848 bytes at most, 1691 + (6 * s) measured.
        """
        return weight(175_040_543 + 488_202 * s, 11_848) + db(3, 3)

    @staticmethod
    def poke_deposit(s: int) -> Weight:
        """Time ~= 137.5 + s 0.8452 µs. Minimum execution time: 120.2 µs.

        `s` is in [2, 99].

        `Balances::Holds` (r:1 w:1), at most 949 bytes an entry
        `Multisig::Multisigs` (r:1 w:1), at most 3346 bytes an entry
        `System::Account` (r:1 w:1), at most 128 bytes an entry
        Proof: 11848 bytes at most, 1691 + (6 * s) measured.
        """
        return weight(137_531_631 + 845_210 * s, 11_848) + db(3, 3)
