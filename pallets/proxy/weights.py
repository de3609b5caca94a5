"""Weights of the pallet `proxy`, measured. Do not edit, but run
`gristmill benchmark pallet --pallet proxy`.

2026-11-25, AMD EPYC, 2 cores, CPython 3.11.7
steps 20, repeat 10
"""

from __future__ import annotations

from frame.weights import Weight, db, weight


class Weights:
    """One function a benchmark."""

    @staticmethod
    def proxy(p: int) -> Weight:
        """Time ~= 45.7 + p 0.588 µs.

        `Proxy::Proxies` (r:1 w:0)
        """
        return weight(45_711_000 + 588_000 * p, 3_716) + db(1, 0)

    @staticmethod
    def proxy_announced(a: int, p: int) -> Weight:
        """Time ~= 107.6 + a 3.077 + p 2.269 µs.

        `Balances::Holds` (r:1 w:1)
        `Proxy::Announcements` (r:1 w:1)
        `Proxy::Proxies` (r:1 w:0)
        `System::Account` (r:1 w:1)
        """
        return weight(107_631_000 + 3_077_000 * a + 2_269_000 * p, 14_451) + db(4, 3)

    @staticmethod
    def remove_announcement(a: int, p: int) -> Weight:
        """Time ~= 62.4 + a 0.898 + p 0.000 µs.

        `Balances::Holds` (r:1 w:1)
        `Proxy::Announcements` (r:1 w:1)
        `System::Account` (r:1 w:1)
        """
        return weight(62_402_000 + 898_000 * a, 10_735) + db(3, 3)

    @staticmethod
    def reject_announcement(a: int, p: int) -> Weight:
        """Time ~= 49.9 + a 1.146 + p 0.183 µs.

        `Balances::Holds` (r:1 w:1)
        `Proxy::Announcements` (r:1 w:1)
        `System::Account` (r:1 w:1)
        """
        return weight(49_912_000 + 1_146_000 * a + 183_000 * p, 10_735) + db(3, 3)

    @staticmethod
    def announce(a: int, p: int) -> Weight:
        """Time ~= 67.3 + a 0.903 + p 1.474 µs.

        `Balances::Holds` (r:1 w:1)
        `Proxy::Announcements` (r:1 w:1)
        `Proxy::Proxies` (r:1 w:0)
        `System::Account` (r:1 w:1)
        """
        return weight(67_362_000 + 903_000 * a + 1_474_000 * p, 14_451) + db(4, 3)

    @staticmethod
    def add_proxy(p: int) -> Weight:
        """Time ~= 88.1 + p 0.172 µs.

        `Balances::Holds` (r:1 w:1)
        `Proxy::Proxies` (r:1 w:1)
        `System::Account` (r:1 w:1)
        """
        return weight(88_114_000 + 172_000 * p, 9_743) + db(3, 3)

    @staticmethod
    def remove_proxy(p: int) -> Weight:
        """Time ~= 64.5 + p 1.238 µs.

        `Balances::Holds` (r:1 w:1)
        `Proxy::Proxies` (r:1 w:1)
        `Proxy::PureDeposits` (r:1 w:0)
        `System::Account` (r:1 w:1)
        """
        return weight(64_545_000 + 1_238_000 * p, 12_306) + db(4, 3)

    @staticmethod
    def remove_proxies(p: int) -> Weight:
        """Time ~= 56.3 + p 0.781 µs.

        `Balances::Holds` (r:1 w:1)
        `Proxy::Proxies` (r:1 w:1)
        `Proxy::PureDeposits` (r:1 w:0)
        `System::Account` (r:1 w:1)
        """
        return weight(56_327_000 + 781_000 * p, 12_306) + db(4, 3)

    @staticmethod
    def create_pure(p: int) -> Weight:
        """Time ~= 75.9 + p 0.000 µs.

        `Balances::Holds` (r:1 w:1)
        `Proxy::Proxies` (r:1 w:1)
        `Proxy::PureDeposits` (r:0 w:1)
        `System::Account` (r:1 w:1)
        """
        return weight(75_902_000, 9_743) + db(3, 4)

    @staticmethod
    def kill_pure(p: int) -> Weight:
        """Time ~= 83.2 + p 0.000 µs.

        `Balances::Holds` (r:1 w:1)
        `Proxy::Proxies` (r:1 w:1)
        `Proxy::PureDeposits` (r:1 w:1)
        `System::Account` (r:1 w:1)
        """
        return weight(83_263_000, 12_306) + db(4, 4)

    @staticmethod
    def poke_deposit() -> Weight:
        """Time ~= 112.1 µs.

        `Balances::Holds` (r:1 w:1)
        `Proxy::Announcements` (r:1 w:1)
        `Proxy::Proxies` (r:1 w:1)
        `System::Account` (r:1 w:1)
        """
        return weight(112_199_000, 14_451) + db(4, 4)
