"""Weights of the pallet `proxy`, measured. Do not edit, but run
`gristmill benchmark pallet --pallet proxy`.

2026-11-25, AMD EPYC, 2 cores, CPython 3.11.7
steps 12, repeat 5
"""

from __future__ import annotations

from frame.weights import Weight, WeightTable, db, weight


class Weights(WeightTable):
    """One function a benchmark."""

    @staticmethod
    def proxy(p: int) -> Weight:
        """Time ~= 44.3 + p 1.102 µs. Minimum execution time: 43.7 µs.

        `p` is in [1, 31].

        `Proxy::Proxies` (r:1 w:0), at most 1241 bytes an entry
        Proof: 3716 bytes at most, 447 + (37 * p) measured.
        """
        return weight(44_344_359 + 1_102_089 * p, 3_716) + db(1, 0)

    @staticmethod
    def proxy_announced(a: int, p: int) -> Weight:
        """Time ~= 198.5 + a 1.232 + p 0 µs. Minimum execution time: 138.5 µs.

        `a` is in [0, 31], `p` is in [1, 31].

        `Balances::Holds` (r:1 w:1), at most 949 bytes an entry
        `Proxy::Announcements` (r:1 w:1), at most 2233 bytes an entry
        `Proxy::Proxies` (r:1 w:0), at most 1241 bytes an entry
        `System::Account` (r:1 w:1), at most 128 bytes an entry
        Proof: 14451 bytes at most, 1495 + (68 * a) + (37 * p) measured.
        """
        return weight(198_461_933 + 1_231_562 * a, 14_451) + db(4, 3)

    @staticmethod
    def remove_announcement(a: int, p: int) -> Weight:
        """Time ~= 113.4 + a 1.861 + p 0 µs. Minimum execution time: 79.9 µs.

        `a` is in [0, 31], `p` is in [1, 31].

        `Balances::Holds` (r:1 w:1), at most 949 bytes an entry
        `Proxy::Announcements` (r:1 w:1), at most 2233 bytes an entry
        `System::Account` (r:1 w:1), at most 128 bytes an entry
        Proof: 10735 bytes at most, 1388 + (68 * a) measured.
        """
        return weight(113_416_992 + 1_861_040 * a, 10_735) + db(3, 3)

    @staticmethod
    def reject_announcement(a: int, p: int) -> Weight:
        """Time ~= 33.0 + a 4.31 + p 1.213 µs. Minimum execution time: 84.0 µs.

        `a` is in [0, 31], `p` is in [1, 31].

        `Balances::Holds` (r:1 w:1), at most 949 bytes an entry
        `Proxy::Announcements` (r:1 w:1), at most 2233 bytes an entry
        `System::Account` (r:1 w:1), at most 128 bytes an entry
        Proof: 10735 bytes at most, 1388 + (68 * a) measured.
        """
        return weight(33_046_816 + 4_309_840 * a + 1_212_827 * p, 10_735) + db(3, 3)

    @staticmethod
    def announce(a: int, p: int) -> Weight:
        """Time ~= 135.1 + a 1.678 + p 1.06 µs. Minimum execution time: 114.0 µs.

        `a` is in [0, 31], `p` is in [1, 31].

        `Balances::Holds` (r:1 w:1), at most 949 bytes an entry
        `Proxy::Announcements` (r:1 w:1), at most 2233 bytes an entry
        `Proxy::Proxies` (r:1 w:0), at most 1241 bytes an entry
        `System::Account` (r:1 w:1), at most 128 bytes an entry
        Proof: 14451 bytes at most, 1390 + (71 * a) + (38 * p) measured.
        """
        return weight(135_130_460 + 1_677_810 * a + 1_059_793 * p, 14_451) + db(4, 3)

    @staticmethod
    def add_proxy(p: int) -> Weight:
        """Time ~= 137.9 + p 1.336 µs. Minimum execution time: 87.6 µs.

        `p` is in [1, 31].

        `Balances::Holds` (r:1 w:1), at most 949 bytes an entry
        `Proxy::Proxies` (r:1 w:1), at most 1241 bytes an entry
        `System::Account` (r:1 w:1), at most 128 bytes an entry
        Proof: 9743 bytes at most, 1218 + (37 * p) measured.
        """
        return weight(137_858_528 + 1_336_382 * p, 9_743) + db(3, 3)

    @staticmethod
    def remove_proxy(p: int) -> Weight:
        """Time ~= 144.4 + p 1.82 µs. Minimum execution time: 94.1 µs.

        `p` is in [1, 31].

        `Balances::Holds` (r:1 w:1), at most 949 bytes an entry
        `Proxy::Proxies` (r:1 w:1), at most 1241 bytes an entry
        `Proxy::PureDeposits` (r:1 w:0), at most 88 bytes an entry
        `System::Account` (r:1 w:1), at most 128 bytes an entry
        Proof: 12306 bytes at most, 1218 + (37 * p) measured.
        """
        return weight(144_413_185 + 1_820_106 * p, 12_306) + db(4, 3)

    @staticmethod
    def remove_proxies(p: int) -> Weight:
        """Time ~= 148.8 + p 0 µs. Minimum execution time: 88.3 µs.

        `p` is in [1, 31].

        `Balances::Holds` (r:1 w:1), at most 949 bytes an entry
        `Proxy::Proxies` (r:1 w:1), at most 1241 bytes an entry
        `Proxy::PureDeposits` (r:1 w:0), at most 88 bytes an entry
        `System::Account` (r:1 w:1), at most 128 bytes an entry
        Proof: 12306 bytes at most, 1218 + (37 * p) measured.
        """
        return weight(148_830_330, 12_306) + db(4, 3)

    @staticmethod
    def create_pure(p: int) -> Weight:
        """Time ~= 117.3 + p 0.8456 µs. Minimum execution time: 86.5 µs.

        `p` is in [1, 31].

        `Balances::Holds` (r:1 w:1), at most 949 bytes an entry
        `Proxy::Proxies` (r:1 w:1), at most 1241 bytes an entry
        `Proxy::PureDeposits` (r:0 w:1), at most 88 bytes an entry
        `System::Account` (r:1 w:1), at most 128 bytes an entry
        Proof: 9743 bytes at most, 1201 measured.
        """
        return weight(117_271_444 + 845_608 * p, 9_743) + db(3, 4)

    @staticmethod
    def kill_pure(p: int) -> Weight:
        """Time ~= 130.4 + p 0.9116 µs. Minimum execution time: 87.4 µs.

        `p` is in [1, 31].

        `Balances::Holds` (r:1 w:1), at most 949 bytes an entry
        `Proxy::Proxies` (r:1 w:1), at most 1241 bytes an entry
        `Proxy::PureDeposits` (r:1 w:1), at most 88 bytes an entry
        `System::Account` (r:1 w:1), at most 128 bytes an entry
        Proof: 12306 bytes at most, 1495 measured.
        """
        return weight(130_438_499 + 911_641 * p, 12_306) + db(4, 4)

    @staticmethod
    def poke_deposit() -> Weight:
        """Time ~= 268.3 µs. Minimum execution time: 141.4 µs.

        `Balances::Holds` (r:1 w:1), at most 949 bytes an entry
        `Proxy::Announcements` (r:1 w:1), at most 2233 bytes an entry
        `Proxy::Proxies` (r:1 w:1), at most 1241 bytes an entry
        `System::Account` (r:1 w:1), at most 128 bytes an entry
        Proof: 14451 bytes at most, 1718 measured.
        """
        return weight(268_315_895, 14_451) + db(4, 4)
