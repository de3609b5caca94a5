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
        """Time ~= 136.3 + z 0.000479 µs. Minimum execution time: 91.1 µs.

        `z` is in [0, 10000].

        Proof: 0 bytes at most, 0 measured.
        """
        return weight(136_322_629 + 479 * z, 0)

    @staticmethod
    def as_multi_create(s: int, z: int) -> Weight:
        """Time ~= 155.5 + s 1.005 + z 0.0078 µs. Minimum execution time: 189.3 µs.

        `s` is in [2, 99], `z` is in [0, 10000].

        `Balances::Holds` (r:1 w:1), at most 949 bytes an entry
        `Multisig::Multisigs` (r:1 w:1), at most 3346 bytes an entry
        `System::Account` (r:1 w:1), at most 128 bytes an entry
        Proof: 11848 bytes at most, 1131 + (6 * s) + (1 * z) measured.
        """
        return weight(155_458_914 + 1_004_686 * s + 7_800 * z, 11_848) + db(3, 3)

    @staticmethod
    def as_multi_approve(s: int, z: int) -> Weight:
        """Time ~= 133.5 + s 0.8042 + z 0.006773 µs. Minimum execution time: 146.0 µs.

        `s` is in [3, 99], `z` is in [0, 10000].

        `Multisig::Multisigs` (r:1 w:1), at most 3346 bytes an entry
        Proof: 5821 bytes at most, 503 + (33 * s) measured.
        """
        return weight(133_459_811 + 804_196 * s + 6_773 * z, 5_821) + db(1, 1)

    @staticmethod
    def as_multi_complete(s: int, z: int) -> Weight:
        """Time ~= 191.0 + s 0.8403 + z 0.006083 µs. Minimum execution time: 204.2 µs.

        `s` is in [2, 99], `z` is in [0, 10000].

        `Balances::Holds` (r:1 w:1), at most 949 bytes an entry
        `Multisig::Multisigs` (r:1 w:1), at most 3346 bytes an entry
        `System::Account` (r:1 w:1), at most 128 bytes an entry
        Proof: 11848 bytes at most, 1480 + (38 * s) + (1 * z) measured.
        """
        return weight(191_047_791 + 840_349 * s + 6_083 * z, 11_848) + db(3, 3)

    @staticmethod
    def approve_as_multi_create(s: int) -> Weight:
        """Time ~= 208.3 + s 0.3136 µs. Minimum execution time: 130.4 µs.

        `s` is in [2, 99].

        `Balances::Holds` (r:1 w:1), at most 949 bytes an entry
        `Multisig::Multisigs` (r:1 w:1), at most 3346 bytes an entry
        `System::Account` (r:1 w:1), at most 128 bytes an entry
        Proof: 11848 bytes at most, 1309 + (6 * s) measured.
        """
        return weight(208_258_356 + 313_572 * s, 11_848) + db(3, 3)

    @staticmethod
    def approve_as_multi_approve(s: int) -> Weight:
        """Time ~= 95.6 + s 0.9289 µs. Minimum execution time: 82.4 µs.

        `s` is in [2, 99].

        `Multisig::Multisigs` (r:1 w:1), at most 3346 bytes an entry
        Proof: 5821 bytes at most, 567 measured.
        """
        return weight(95_575_258 + 928_918 * s, 5_821) + db(1, 1)

    @staticmethod
    def cancel_as_multi(s: int) -> Weight:
        """Time ~= 172.6 + s 0.6425 µs. Minimum execution time: 115.7 µs.

        `s` is in [2, 99].

        `Balances::Holds` (r:1 w:1), at most 949 bytes an entry
        `Multisig::Multisigs` (r:1 w:1), at most 3346 bytes an entry
        `System::Account` (r:1 w:1), at most 128 bytes an entry
        Proof: 11848 bytes at most, 1691 + (6 * s) measured.
        """
        return weight(172_639_801 + 642_452 * s, 11_848) + db(3, 3)

    @staticmethod
    def poke_deposit(s: int) -> Weight:
        """Time ~= 178.1 + s 0.7446 µs. Minimum execution time: 117.8 µs.

        `s` is in [2, 99].

        `Balances::Holds` (r:1 w:1), at most 949 bytes an entry
        `Multisig::Multisigs` (r:1 w:1), at most 3346 bytes an entry
        `System::Account` (r:1 w:1), at most 128 bytes an entry
        Proof: 11848 bytes at most, 1691 + (6 * s) measured.
        """
        return weight(178_101_900 + 744_573 * s, 11_848) + db(3, 3)
