"""Weights of the pallet `proxy`, measured. Do not edit, but run
`gristmill benchmark pallet --pallet proxy`.

2026-11-25, AMD EPYC, 2 cores, CPython 3.11.7
steps 12, repeat 6
"""

from __future__ import annotations

from frame.weights import Weight, WeightTable, db, weight


class Weights(WeightTable):
    """One function a benchmark."""

    @staticmethod
    def proxy(p: int) -> Weight:
        """Time ~= 75.8 + p 0.9038 µs. Minimum execution time: 55.1 µs.

        `p` is in [1, 31].

        `Proxy::Proxies` (r:1 w:0), at most 1241 bytes an entry
        Proof: 3716 bytes at most, 447 + (37 * p) measured.
        """
        return weight(75_780_490 + 903_818 * p, 3_716) + db(1, 0)

    @staticmethod
    def proxy_announced(a: int, p: int) -> Weight:
        """Time ~= 178.8 + a 2.015 + p 1.388 µs. Minimum execution time: 153.6 µs.

        `a` is in [0, 31], `p` is in [1, 31].

        `Balances::Holds` (r:1 w:1), at most 949 bytes an entry
        `Proxy::Announcements` (r:1 w:1), at most 2233 bytes an entry
        `Proxy::Proxies` (r:1 w:0), at most 1241 bytes an entry
        `System::Account` (r:1 w:1), at most 128 bytes an entry
        Proof: 14451 bytes at most, 1495 + (68 * a) + (37 * p) measured.
        """
        return weight(178_799_418 + 2_014_715 * a + 1_387_802 * p, 14_451) + db(4, 3)

    @staticmethod
    def remove_announcement(a: int, p: int) -> Weight:
        """Time ~= 131.7 + a 1.852 + p 0 µs. Minimum execution time: 89.1 µs.

        `a` is in [0, 31], `p` is in [1, 31].

        `Balances::Holds` (r:1 w:1), at most 949 bytes an entry
        `Proxy::Announcements` (r:1 w:1), at most 2233 bytes an entry
        `System::Account` (r:1 w:1), at most 128 bytes an entry
        Proof: 10735 bytes at most, 1388 + (68 * a) measured.
        """
        return weight(131_735_277 + 1_851_599 * a, 10_735) + db(3, 3)

    @staticmethod
    def reject_announcement(a: int, p: int) -> Weight:
        """Time ~= 170.6 + a 0.3325 + p 0 µs. Minimum execution time: 92.2 µs.

        `a` is in [0, 31], `p` is in [1, 31].

        `Balances::Holds` (r:1 w:1), at most 949 bytes an entry
        `Proxy::Announcements` (r:1 w:1), at most 2233 bytes an entry
        `System::Account` (r:1 w:1), at most 128 bytes an entry
        Proof: 10735 bytes at most, 1388 + (68 * a) measured.
        """
        return weight(170_571_350 + 332_503 * a, 10_735) + db(3, 3)

    @staticmethod
    def announce(a: int, p: int) -> Weight:
        """Time ~= 103.4 + a 2.558 + p 1.505 µs. Minimum execution time: 128.7 µs.

        `a` is in [0, 31], `p` is in [1, 31].

        `Balances::Holds` (r:1 w:1), at most 949 bytes an entry
        `Proxy::Announcements` (r:1 w:1), at most 2233 bytes an entry
        `Proxy::Proxies` (r:1 w:0), at most 1241 bytes an entry
        `System::Account` (r:1 w:1), at most 128 bytes an entry
        Proof: 14451 bytes at most, 1390 + (71 * a) + (38 * p) measured.
        """
        return weight(103_369_487 + 2_557_679 * a + 1_505_327 * p, 14_451) + db(4, 3)

    @staticmethod
    def add_proxy(p: int) -> Weight:
        """Time ~= 148.5 + p 1.049 µs. Minimum execution time: 108.7 µs.

        `p` is in [1, 31].

        `Balances::Holds` (r:1 w:1), at most 949 bytes an entry
        `Proxy::Proxies` (r:1 w:1), at most 1241 bytes an entry
        `System::Account` (r:1 w:1), at most 128 bytes an entry
        Proof: 9743 bytes at most, 1218 + (37 * p) measured.
        """
        return weight(148_532_238 + 1_048_651 * p, 9_743) + db(3, 3)

    @staticmethod
    def remove_proxy(p: int) -> Weight:
        """Time ~= 174.3 + p 0.329 µs. Minimum execution time: 110.8 µs.

        `p` is in [1, 31].

        `Balances::Holds` (r:1 w:1), at most 949 bytes an entry
        `Proxy::Proxies` (r:1 w:1), at most 1241 bytes an entry
        `Proxy::PureDeposits` (r:1 w:0), at most 88 bytes an entry
        `System::Account` (r:1 w:1), at most 128 bytes an entry
        Proof: 12306 bytes at most, 1218 + (37 * p) measured.
        """
        return weight(174_303_591 + 328_994 * p, 12_306) + db(4, 3)

    @staticmethod
    def remove_proxies(p: int) -> Weight:
        """Time ~= 157.2 + p 0.7431 µs. Minimum execution time: 104.1 µs.

        `p` is in [1, 31].

        `Balances::Holds` (r:1 w:1), at most 949 bytes an entry
        `Proxy::Proxies` (r:1 w:1), at most 1241 bytes an entry
        `Proxy::PureDeposits` (r:1 w:0), at most 88 bytes an entry
        `System::Account` (r:1 w:1), at most 128 bytes an entry
        Proof: 12306 bytes at most, 1218 + (37 * p) measured.
        """
        return weight(157_190_292 + 743_075 * p, 12_306) + db(4, 3)

    @staticmethod
    def create_pure(p: int) -> Weight:
        """Time ~= 164.7 + p 0.4474 µs. Minimum execution time: 101.5 µs.

        `p` is in [1, 31].

        `Balances::Holds` (r:1 w:1), at most 949 bytes an entry
        `Proxy::Proxies` (r:1 w:1), at most 1241 bytes an entry
        `Proxy::PureDeposits` (r:0 w:1), at most 88 bytes an entry
        `System::Account` (r:1 w:1), at most 128 bytes an entry
        Proof: 9743 bytes at most, 1201 measured.
        """
        return weight(164_730_305 + 447_370 * p, 9_743) + db(3, 4)

    @staticmethod
    def kill_pure(p: int) -> Weight:
        """Time ~= 185.7 + p 0 µs. Minimum execution time: 104.5 µs.

        `p` is in [1, 31].

        `Balances::Holds` (r:1 w:1), at most 949 bytes an entry
        `Proxy::Proxies` (r:1 w:1), at most 1241 bytes an entry
        `Proxy::PureDeposits` (r:1 w:1), at most 88 bytes an entry
        `System::Account` (r:1 w:1), at most 128 bytes an entry
        Proof: 12306 bytes at most, 1495 measured.
        """
        return weight(185_727_536, 12_306) + db(4, 4)

    @staticmethod
    def poke_deposit() -> Weight:
        """Time ~= 183.4 µs. Minimum execution time: 156.3 µs.

        `Balances::Holds` (r:1 w:1), at most 949 bytes an entry
        `Proxy::Announcements` (r:1 w:1), at most 2233 bytes an entry
        `Proxy::Proxies` (r:1 w:1), at most 1241 bytes an entry
        `System::Account` (r:1 w:1), at most 128 bytes an entry
        Proof: 14451 bytes at most, 1718 measured.
        """
        return weight(183_409_270, 14_451) + db(4, 4)
