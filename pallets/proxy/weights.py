"""Weights of the pallet `proxy`, measured. Do not edit, but run
`gristmill benchmark pallet --pallet proxy`.

2026-11-25, AMD EPYC, 2 cores, CPython 3.11.7
steps 50, repeat 20; reference time: timings × 0.77 (0.32 to 1.00)
"""

from __future__ import annotations

from frame.weights import Weight, WeightTable, db, weight


class Weights(WeightTable):
    """One function a benchmark."""

    @staticmethod
    def proxy(p: int) -> Weight:
        """Time ~= 43.2 + p 0.736 µs. Minimum execution time: 32.0 µs.

        `p` is in [1, 31].

        `Proxy::Proxies` (r:1 w:0), at most 1241 bytes an entry
        Proof: 3716 bytes at most, 447 + (37 * p) measured.
        """
        return weight(43_188_221 + 735_976 * p, 3_716) + db(1, 0)

    @staticmethod
    def proxy_announced(a: int, p: int) -> Weight:
        """Time ~= 114.0 + a 1.974 + p 0.5808 µs. Minimum execution time: 91.1 µs.

        `a` is in [0, 31], `p` is in [1, 31].

        `Balances::Holds` (r:1 w:1), at most 949 bytes an entry
        `Proxy::Announcements` (r:1 w:1), at most 2233 bytes an entry
        `Proxy::Proxies` (r:1 w:0), at most 1241 bytes an entry
        `System::Account` (r:1 w:1), at most 128 bytes an entry
        Proof: 14451 bytes at most, 1495 + (68 * a) + (37 * p) measured.
        """
        return weight(114_003_083 + 1_974_086 * a + 580_794 * p, 14_451) + db(4, 3)

    @staticmethod
    def remove_announcement(a: int, p: int) -> Weight:
        """Time ~= 78.8 + a 1.457 + p 0.011 µs. Minimum execution time: 58.4 µs.

        `a` is in [0, 31], `p` is in [1, 31].

        `Balances::Holds` (r:1 w:1), at most 949 bytes an entry
        `Proxy::Announcements` (r:1 w:1), at most 2233 bytes an entry
        `System::Account` (r:1 w:1), at most 128 bytes an entry
        Proof: 10735 bytes at most, 1388 + (68 * a) measured.
        """
        return weight(78_844_679 + 1_457_436 * a + 10_997 * p, 10_735) + db(3, 3)

    @staticmethod
    def reject_announcement(a: int, p: int) -> Weight:
        """Time ~= 79.5 + a 1.4 + p 0 µs. Minimum execution time: 48.5 µs.

        `a` is in [0, 31], `p` is in [1, 31].

        `Balances::Holds` (r:1 w:1), at most 949 bytes an entry
        `Proxy::Announcements` (r:1 w:1), at most 2233 bytes an entry
        `System::Account` (r:1 w:1), at most 128 bytes an entry
        Proof: 10735 bytes at most, 1388 + (68 * a) measured.
        """
        return weight(79_518_478 + 1_399_603 * a, 10_735) + db(3, 3)

    @staticmethod
    def announce(a: int, p: int) -> Weight:
        """Time ~= 90.8 + a 1.325 + p 0.6532 µs. Minimum execution time: 71.7 µs.

        `a` is in [0, 31], `p` is in [1, 31].

        `Balances::Holds` (r:1 w:1), at most 949 bytes an entry
        `Proxy::Announcements` (r:1 w:1), at most 2233 bytes an entry
        `Proxy::Proxies` (r:1 w:0), at most 1241 bytes an entry
        `System::Account` (r:1 w:1), at most 128 bytes an entry
        Proof: 14451 bytes at most, 1395 + (69 * a) + (38 * p) measured.
        """
        return weight(90_849_720 + 1_324_933 * a + 653_150 * p, 14_451) + db(4, 3)

    @staticmethod
    def add_proxy(p: int) -> Weight:
        """Time ~= 82.2 + p 1.553 µs. Minimum execution time: 61.7 µs.

        `p` is in [1, 31].

        `Balances::Holds` (r:1 w:1), at most 949 bytes an entry
        `Proxy::Proxies` (r:1 w:1), at most 1241 bytes an entry
        `System::Account` (r:1 w:1), at most 128 bytes an entry
        Proof: 9743 bytes at most, 1218 + (37 * p) measured.
        """
        return weight(82_177_974 + 1_552_861 * p, 9_743) + db(3, 3)

    @staticmethod
    def remove_proxy(p: int) -> Weight:
        """Time ~= 85.8 + p 1.662 µs. Minimum execution time: 62.4 µs.

        `p` is in [1, 31].

        `Balances::Holds` (r:1 w:1), at most 949 bytes an entry
        `Proxy::Proxies` (r:1 w:1), at most 1241 bytes an entry
        `Proxy::PureDeposits` (r:1 w:0), at most 88 bytes an entry
        `System::Account` (r:1 w:1), at most 128 bytes an entry
        Proof: 12306 bytes at most, 1218 + (37 * p) measured.
        """
        return weight(85_820_650 + 1_662_000 * p, 12_306) + db(4, 3)

    @staticmethod
    def remove_proxies(p: int) -> Weight:
        """Time ~= 78.0 + p 0.7313 µs. Minimum execution time: 59.1 µs.

        `p` is in [1, 31].

        `Balances::Holds` (r:1 w:1), at most 949 bytes an entry
        `Proxy::Proxies` (r:1 w:1), at most 1241 bytes an entry
        `Proxy::PureDeposits` (r:1 w:0), at most 88 bytes an entry
        `System::Account` (r:1 w:1), at most 128 bytes an entry
        Proof: 12306 bytes at most, 1218 + (37 * p) measured.
        """
        return weight(78_027_128 + 731_252 * p, 12_306) + db(4, 3)

    @staticmethod
    def create_pure(p: int) -> Weight:
        """Time ~= 85.6 + p 0 µs. Minimum execution time: 52.3 µs.

        `p` is in [1, 31].

        `Balances::Holds` (r:1 w:1), at most 949 bytes an entry
        `Proxy::Proxies` (r:1 w:1), at most 1241 bytes an entry
        `Proxy::PureDeposits` (r:0 w:1), at most 88 bytes an entry
        `System::Account` (r:1 w:1), at most 128 bytes an entry
        Proof: 9743 bytes at most, 1201 measured.
        """
        return weight(85_561_840, 9_743) + db(3, 4)

    @staticmethod
    def kill_pure(p: int) -> Weight:
        """Time ~= 84.8 + p 0 µs. Minimum execution time: 45.6 µs.

        `p` is in [1, 31].

        `Balances::Holds` (r:1 w:1), at most 949 bytes an entry
        `Proxy::Proxies` (r:1 w:1), at most 1241 bytes an entry
        `Proxy::PureDeposits` (r:1 w:1), at most 88 bytes an entry
        `System::Account` (r:1 w:1), at most 128 bytes an entry
        Proof: 12306 bytes at most, 1495 measured.
        """
        return weight(84_819_318, 12_306) + db(4, 4)

    @staticmethod
    def poke_deposit() -> Weight:
        """Time ~= 127.8 µs. Minimum execution time: 98.9 µs.

        `Balances::Holds` (r:1 w:1), at most 949 bytes an entry
        `Proxy::Announcements` (r:1 w:1), at most 2233 bytes an entry
        `Proxy::Proxies` (r:1 w:1), at most 1241 bytes an entry
        `System::Account` (r:1 w:1), at most 128 bytes an entry
        Proof: 14451 bytes at most, 1718 measured.
        """
        return weight(127_796_575, 14_451) + db(4, 4)
