"""Weights of the pallet `proxy`, measured. Do not edit, but run
`gristmill benchmark pallet --pallet proxy`.

2026-11-25, AMD EPYC, 2 cores, CPython 3.11.7
steps 8, repeat 4
"""

from __future__ import annotations

from frame.weights import Weight, WeightTable, db, weight


class Weights(WeightTable):
    """One function a benchmark."""

    @staticmethod
    def proxy(p: int) -> Weight:
        """Time ~= 94.1 + p 0.7174 µs. Minimum execution time: 52.4 µs.

        `p` is in [1, 31].

        `Proxy::Proxies` (r:1 w:0), at most 1241 bytes an entry
        Proof: 3716 bytes at most, 447 + (37 * p) measured.
        """
        return weight(94_134_857 + 717_442 * p, 3_716) + db(1, 0)

    @staticmethod
    def proxy_announced(a: int, p: int) -> Weight:
        """Time ~= 244.0 + a 1.752 + p 0 µs. Minimum execution time: 158.1 µs.

        `a` is in [0, 31], `p` is in [1, 31].

        `Balances::Holds` (r:1 w:1), at most 949 bytes an entry
        `Proxy::Announcements` (r:1 w:1), at most 2233 bytes an entry
        `Proxy::Proxies` (r:1 w:0), at most 1241 bytes an entry
        `System::Account` (r:1 w:1), at most 128 bytes an entry
        Proof: 14451 bytes at most, 1495 + (68 * a) + (37 * p) measured.
        """
        return weight(243_979_298 + 1_751_602 * a, 14_451) + db(4, 3)

    @staticmethod
    def remove_announcement(a: int, p: int) -> Weight:
        """Time ~= 162.4 + a 0 + p 0 µs. Minimum execution time: 97.6 µs.

        `a` is in [0, 31], `p` is in [1, 31].

        `Balances::Holds` (r:1 w:1), at most 949 bytes an entry
        `Proxy::Announcements` (r:1 w:1), at most 2233 bytes an entry
        `System::Account` (r:1 w:1), at most 128 bytes an entry
        Proof: 10735 bytes at most, 1388 + (68 * a) measured.
        """
        return weight(162_389_235, 10_735) + db(3, 3)

    @staticmethod
    def reject_announcement(a: int, p: int) -> Weight:
        """Time ~= 126.4 + a 2.519 + p 0 µs. Minimum execution time: 86.7 µs.

        `a` is in [0, 31], `p` is in [1, 31].

        `Balances::Holds` (r:1 w:1), at most 949 bytes an entry
        `Proxy::Announcements` (r:1 w:1), at most 2233 bytes an entry
        `System::Account` (r:1 w:1), at most 128 bytes an entry
        Proof: 10735 bytes at most, 1388 + (68 * a) measured.
        """
        return weight(126_395_679 + 2_519_122 * a, 10_735) + db(3, 3)

    @staticmethod
    def announce(a: int, p: int) -> Weight:
        """Time ~= 148.0 + a 0.9285 + p 1.949 µs. Minimum execution time: 125.3 µs.

        `a` is in [0, 31], `p` is in [1, 31].

        `Balances::Holds` (r:1 w:1), at most 949 bytes an entry
        `Proxy::Announcements` (r:1 w:1), at most 2233 bytes an entry
        `Proxy::Proxies` (r:1 w:0), at most 1241 bytes an entry
        `System::Account` (r:1 w:1), at most 128 bytes an entry
        Proof: 14451 bytes at most, 1349 + (72 * a) + (39 * p) measured.
        """
        return weight(148_041_198 + 928_501 * a + 1_948_613 * p, 14_451) + db(4, 3)

    @staticmethod
    def add_proxy(p: int) -> Weight:
        """Time ~= 131.0 + p 3.351 µs. Minimum execution time: 103.2 µs.

        `p` is in [1, 31].

        `Balances::Holds` (r:1 w:1), at most 949 bytes an entry
        `Proxy::Proxies` (r:1 w:1), at most 1241 bytes an entry
        `System::Account` (r:1 w:1), at most 128 bytes an entry
        Proof: 9743 bytes at most, 1218 + (37 * p) measured.
        """
        return weight(130_957_720 + 3_350_562 * p, 9_743) + db(3, 3)

    @staticmethod
    def remove_proxy(p: int) -> Weight:
        """Time ~= 156.8 + p 0.3381 µs. Minimum execution time: 111.8 µs.

        `p` is in [1, 31].

        `Balances::Holds` (r:1 w:1), at most 949 bytes an entry
        `Proxy::Proxies` (r:1 w:1), at most 1241 bytes an entry
        `Proxy::PureDeposits` (r:1 w:0), at most 88 bytes an entry
        `System::Account` (r:1 w:1), at most 128 bytes an entry
        Proof: 12306 bytes at most, 1218 + (37 * p) measured.
        """
        return weight(156_820_937 + 338_113 * p, 12_306) + db(4, 3)

    @staticmethod
    def remove_proxies(p: int) -> Weight:
        """Time ~= 119.3 + p 0.333 µs. Minimum execution time: 93.4 µs.

        `p` is in [1, 31].

        `Balances::Holds` (r:1 w:1), at most 949 bytes an entry
        `Proxy::Proxies` (r:1 w:1), at most 1241 bytes an entry
        `Proxy::PureDeposits` (r:1 w:0), at most 88 bytes an entry
        `System::Account` (r:1 w:1), at most 128 bytes an entry
        Proof: 12306 bytes at most, 1218 + (37 * p) measured.
        """
        return weight(119_270_671 + 332_994 * p, 12_306) + db(4, 3)

    @staticmethod
    def create_pure(p: int) -> Weight:
        """Time ~= 118.6 + p 0 µs. Minimum execution time: 91.7 µs.

        `p` is in [1, 31].

        `Balances::Holds` (r:1 w:1), at most 949 bytes an entry
        `Proxy::Proxies` (r:1 w:1), at most 1241 bytes an entry
        `Proxy::PureDeposits` (r:0 w:1), at most 88 bytes an entry
        `System::Account` (r:1 w:1), at most 128 bytes an entry
        Proof: 9743 bytes at most, 1201 measured.
        """
        return weight(118_635_880, 9_743) + db(3, 4)

    @staticmethod
    def kill_pure(p: int) -> Weight:
        """Time ~= 116.3 + p 0.2042 µs. Minimum execution time: 93.2 µs.

        `p` is in [1, 31].

        `Balances::Holds` (r:1 w:1), at most 949 bytes an entry
        `Proxy::Proxies` (r:1 w:1), at most 1241 bytes an entry
        `Proxy::PureDeposits` (r:1 w:1), at most 88 bytes an entry
        `System::Account` (r:1 w:1), at most 128 bytes an entry
        Proof: 12306 bytes at most, 1495 measured.
        """
        return weight(116_340_219 + 204_151 * p, 12_306) + db(4, 4)

    @staticmethod
    def poke_deposit() -> Weight:
        """Time ~= 236.7 µs. Minimum execution time: 167.8 µs.

        `Balances::Holds` (r:1 w:1), at most 949 bytes an entry
        `Proxy::Announcements` (r:1 w:1), at most 2233 bytes an entry
        `Proxy::Proxies` (r:1 w:1), at most 1241 bytes an entry
        `System::Account` (r:1 w:1), at most 128 bytes an entry
        Proof: 14451 bytes at most, 1718 measured.
        """
        return weight(236_721_000, 14_451) + db(4, 4)
