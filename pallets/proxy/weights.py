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
        """Time ~= 69.7 + p 0.9457 µs. Minimum execution time: 54.8 µs.

        `p` is in [1, 31].

        `Proxy::Proxies` (r:1 w:0), at most 1241 bytes an entry
        Proof: 3716 bytes at most, 447 + (37 * p) measured.
        """
        return weight(69_709_932 + 945_709 * p, 3_716) + db(1, 0)

    @staticmethod
    def proxy_announced(a: int, p: int) -> Weight:
        """Time ~= 150.4 + a 3.163 + p 0.7348 µs. Minimum execution time: 157.2 µs.

        `a` is in [0, 31], `p` is in [1, 31].

        `Balances::Holds` (r:1 w:1), at most 949 bytes an entry
        `Proxy::Announcements` (r:1 w:1), at most 2233 bytes an entry
        `Proxy::Proxies` (r:1 w:0), at most 1241 bytes an entry
        `System::Account` (r:1 w:1), at most 128 bytes an entry
        Proof: 14451 bytes at most, 1495 + (68 * a) + (37 * p) measured.
        """
        return weight(150_384_380 + 3_163_125 * a + 734_810 * p, 14_451) + db(4, 3)

    @staticmethod
    def remove_announcement(a: int, p: int) -> Weight:
        """Time ~= 80.7 + a 2.28 + p 1.225 µs. Minimum execution time: 94.5 µs.

        `a` is in [0, 31], `p` is in [1, 31].

        `Balances::Holds` (r:1 w:1), at most 949 bytes an entry
        `Proxy::Announcements` (r:1 w:1), at most 2233 bytes an entry
        `System::Account` (r:1 w:1), at most 128 bytes an entry
        Proof: 10735 bytes at most, 1388 + (68 * a) measured.
        """
        return weight(80_696_663 + 2_280_161 * a + 1_224_715 * p, 10_735) + db(3, 3)

    @staticmethod
    def reject_announcement(a: int, p: int) -> Weight:
        """Time ~= 119.9 + a 1.25 + p 0 µs. Minimum execution time: 96.8 µs.

        `a` is in [0, 31], `p` is in [1, 31].

        `Balances::Holds` (r:1 w:1), at most 949 bytes an entry
        `Proxy::Announcements` (r:1 w:1), at most 2233 bytes an entry
        `System::Account` (r:1 w:1), at most 128 bytes an entry
        Proof: 10735 bytes at most, 1388 + (68 * a) measured.
        """
        return weight(119_912_309 + 1_250_040 * a, 10_735) + db(3, 3)

    @staticmethod
    def announce(a: int, p: int) -> Weight:
        """Time ~= 119.0 + a 1.765 + p 1.15 µs. Minimum execution time: 131.0 µs.

        `a` is in [0, 31], `p` is in [1, 31].

        `Balances::Holds` (r:1 w:1), at most 949 bytes an entry
        `Proxy::Announcements` (r:1 w:1), at most 2233 bytes an entry
        `Proxy::Proxies` (r:1 w:0), at most 1241 bytes an entry
        `System::Account` (r:1 w:1), at most 128 bytes an entry
        Proof: 14451 bytes at most, 1390 + (71 * a) + (38 * p) measured.
        """
        return weight(118_989_542 + 1_765_087 * a + 1_150_182 * p, 14_451) + db(4, 3)

    @staticmethod
    def add_proxy(p: int) -> Weight:
        """Time ~= 147.2 + p 1.552 µs. Minimum execution time: 96.7 µs.

        `p` is in [1, 31].

        `Balances::Holds` (r:1 w:1), at most 949 bytes an entry
        `Proxy::Proxies` (r:1 w:1), at most 1241 bytes an entry
        `System::Account` (r:1 w:1), at most 128 bytes an entry
        Proof: 9743 bytes at most, 1218 + (37 * p) measured.
        """
        return weight(147_231_996 + 1_552_495 * p, 9_743) + db(3, 3)

    @staticmethod
    def remove_proxy(p: int) -> Weight:
        """Time ~= 139.0 + p 0.8232 µs. Minimum execution time: 109.6 µs.

        `p` is in [1, 31].

        `Balances::Holds` (r:1 w:1), at most 949 bytes an entry
        `Proxy::Proxies` (r:1 w:1), at most 1241 bytes an entry
        `Proxy::PureDeposits` (r:1 w:0), at most 88 bytes an entry
        `System::Account` (r:1 w:1), at most 128 bytes an entry
        Proof: 12306 bytes at most, 1218 + (37 * p) measured.
        """
        return weight(138_998_589 + 823_158 * p, 12_306) + db(4, 3)

    @staticmethod
    def remove_proxies(p: int) -> Weight:
        """Time ~= 127.3 + p 0.9407 µs. Minimum execution time: 103.0 µs.

        `p` is in [1, 31].

        `Balances::Holds` (r:1 w:1), at most 949 bytes an entry
        `Proxy::Proxies` (r:1 w:1), at most 1241 bytes an entry
        `Proxy::PureDeposits` (r:1 w:0), at most 88 bytes an entry
        `System::Account` (r:1 w:1), at most 128 bytes an entry
        Proof: 12306 bytes at most, 1218 + (37 * p) measured.
        """
        return weight(127_333_317 + 940_684 * p, 12_306) + db(4, 3)

    @staticmethod
    def create_pure(p: int) -> Weight:
        """Time ~= 142.1 + p 0.3222 µs. Minimum execution time: 105.4 µs.

        `p` is in [1, 31].

        `Balances::Holds` (r:1 w:1), at most 949 bytes an entry
        `Proxy::Proxies` (r:1 w:1), at most 1241 bytes an entry
        `Proxy::PureDeposits` (r:0 w:1), at most 88 bytes an entry
        `System::Account` (r:1 w:1), at most 128 bytes an entry
        Proof: 9743 bytes at most, 1201 measured.
        """
        return weight(142_091_454 + 322_225 * p, 9_743) + db(3, 4)

    @staticmethod
    def kill_pure(p: int) -> Weight:
        """Time ~= 154.3 + p 0.2251 µs. Minimum execution time: 102.9 µs.

        `p` is in [1, 31].

        `Balances::Holds` (r:1 w:1), at most 949 bytes an entry
        `Proxy::Proxies` (r:1 w:1), at most 1241 bytes an entry
        `Proxy::PureDeposits` (r:1 w:1), at most 88 bytes an entry
        `System::Account` (r:1 w:1), at most 128 bytes an entry
        Proof: 12306 bytes at most, 1495 measured.
        """
        return weight(154_305_319 + 225_079 * p, 12_306) + db(4, 4)

    @staticmethod
    def poke_deposit() -> Weight:
        """Time ~= 162.9 µs. Minimum execution time: 155.0 µs.

        `Balances::Holds` (r:1 w:1), at most 949 bytes an entry
        `Proxy::Announcements` (r:1 w:1), at most 2233 bytes an entry
        `Proxy::Proxies` (r:1 w:1), at most 1241 bytes an entry
        `System::Account` (r:1 w:1), at most 128 bytes an entry
        Proof: 14451 bytes at most, 1718 measured.
        """
        return weight(162_911_270, 14_451) + db(4, 4)
