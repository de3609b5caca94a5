"""Weights of the pallet `multisig`, measured. Do not edit, but run
`gristmill benchmark pallet --pallet multisig`.

2026-11-25, AMD EPYC, 2 cores, CPython 3.11.7
steps 20, repeat 10
"""

from __future__ import annotations

from frame.weights import Weight, db, weight


class Weights:
    """One function a benchmark."""

    @staticmethod
    def as_multi_threshold_1(z: int) -> Weight:
        """Time ~= 42.3 + z 0.001 µs."""
        return weight(42_328_000 + 1_000 * z, 0) + db(0, 0)

    @staticmethod
    def as_multi_create(s: int, z: int) -> Weight:
        """Time ~= 79.3 + s 0.767 + z 0.002 µs.

        `Balances::Holds` (r:1 w:1)
        `Multisig::Multisigs` (r:1 w:1)
        `System::Account` (r:1 w:1)
        """
        return weight(79_375_000 + 767_000 * s + 2_000 * z, 11_848) + db(3, 3)

    @staticmethod
    def as_multi_approve(s: int, z: int) -> Weight:
        """Time ~= 65.5 + s 0.459 + z 0.002 µs.

        `Multisig::Multisigs` (r:1 w:1)
        """
        return weight(65_519_000 + 459_000 * s + 2_000 * z, 5_821) + db(1, 1)

    @staticmethod
    def as_multi_complete(s: int, z: int) -> Weight:
        """Time ~= 67.3 + s 0.746 + z 0.005 µs.

        `Balances::Holds` (r:1 w:1)
        `Multisig::Multisigs` (r:1 w:1)
        `System::Account` (r:1 w:1)
        """
        return weight(67_320_000 + 746_000 * s + 5_000 * z, 11_848) + db(3, 3)

    @staticmethod
    def approve_as_multi_create(s: int) -> Weight:
        """Time ~= 85.8 + s 0.477 µs.

        `Balances::Holds` (r:1 w:1)
        `Multisig::Multisigs` (r:1 w:1)
        `System::Account` (r:1 w:1)
        """
        return weight(85_831_000 + 477_000 * s, 11_848) + db(3, 3)

    @staticmethod
    def approve_as_multi_approve(s: int) -> Weight:
        """Time ~= 76.1 + s 0.074 µs.

        `Multisig::Multisigs` (r:1 w:1)
        """
        return weight(76_157_000 + 74_000 * s, 5_821) + db(1, 1)

    @staticmethod
    def cancel_as_multi(s: int) -> Weight:
        """Time ~= 73.5 + s 0.663 µs.

        `Balances::Holds` (r:1 w:1)
        `Multisig::Multisigs` (r:1 w:1)
        `System::Account` (r:1 w:1)
        """
        return weight(73_564_000 + 663_000 * s, 11_848) + db(3, 3)

    @staticmethod
    def poke_deposit(s: int) -> Weight:
        """Time ~= 101.1 + s 0.180 µs.

        `Balances::Holds` (r:1 w:1)
        `Multisig::Multisigs` (r:1 w:1)
        `System::Account` (r:1 w:1)
        """
        return weight(101_196_000 + 180_000 * s, 11_848) + db(3, 3)
