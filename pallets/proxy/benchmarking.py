"""What the calls of the pallet proxy weigh: `p` proxies of the account, `a` announcements of the delegate.

As in Substrate, the account has one proxy fewer than `p` before one is added.
"""

from __future__ import annotations

from collections.abc import Iterator

from frame import Origin, RuntimeCall
from frame.benchmarking import Bench, Linear, Measured, benchmark
from pallets.proxy.pallet import Proxy, pure_account
from pallets.proxy.types import MAX_PENDING, MAX_PROXIES, Announcement, ProxyDefinition, ProxyType
from primitives.extrinsic import MultiAddress
from primitives.hashing import blake2_256
from primitives.scale import encode_compact

PROXIES = Linear(1, MAX_PROXIES - 1)
PENDING = Linear(0, MAX_PENDING - 1)
HASH = bytes(range(32))


def _at(who: bytes) -> MultiAddress:
    return MultiAddress.Id(value=who)


def _rich(b: Bench[Proxy], name: str, number: int = 0) -> bytes:
    who = b.signer(name, number)
    b.pallet.config.currency.mint_into(who, 10**18)
    return who


def _real(b: Bench[Proxy], proxies: int) -> bytes:
    """The account, one of whose proxies is `caller`, the last to be added: the others are written down, and
    the deposit for all of them is taken then.
    """
    real, caller = _rich(b, "real"), _rich(b, "caller")
    names = [b.account("proxy", number) for number in range(proxies - 1)]
    if names:
        others = [ProxyDefinition(delegate=name, proxy_type=ProxyType.Any, delay=0) for name in names]
        b.pallet.proxies[real] = others, 0
    b.pallet.add_proxy(Origin.of(real), _at(caller), ProxyType.Any, 0)
    return real


def _announce(b: Bench[Proxy], real: bytes, count: int) -> None:
    """So many by `caller`, in the same way."""
    if not count:
        return
    hashes = [blake2_256(number.to_bytes(4, "little")) for number in range(count)]
    if count > 1:
        height = b.pallet.block_number()
        pending = [Announcement(real=real, call_hash=found, height=height) for found in hashes[:-1]]
        b.pallet.announcements[b.signer("caller")] = pending, 0
    b.pallet.announce(b.caller(), _at(real), hashes[-1])


def _nothing(b: Bench[Proxy]) -> RuntimeCall:
    found: RuntimeCall = b.ext.runtime.call_codec.decode(bytes((0, 0)) + encode_compact(0))
    return found


@benchmark(p=PROXIES)
def proxy(b: Bench[Proxy], p: int) -> Iterator[Measured]:
    """A call that does nothing."""
    real, call = _real(b, p), _nothing(b)
    yield b.extrinsic(b.caller(), b.pallet.proxy.new(_at(real), ProxyType.Any, call))


@benchmark(a=PENDING, p=PROXIES)
def proxy_announced(b: Bench[Proxy], a: int, p: int) -> Iterator[Measured]:
    """A call that does nothing."""
    real, call = _real(b, p), _nothing(b)
    _announce(b, real, a)
    b.pallet.announce(b.caller(), _at(real), blake2_256(call.encode()))
    caller = b.signer("caller")
    yield b.extrinsic(b.caller(), b.pallet.proxy_announced.new(_at(caller), _at(real), ProxyType.Any, call))
    assert len(b.pallet.announcements[caller][0]) == a


@benchmark(a=PENDING, p=PROXIES)
def remove_announcement(b: Bench[Proxy], a: int, p: int) -> Iterator[Measured]:
    """The last one."""
    real = _real(b, p)
    _announce(b, real, a)
    b.pallet.announce(b.caller(), _at(real), HASH)
    yield b.extrinsic(b.caller(), b.pallet.remove_announcement.new(_at(real), HASH))
    assert len(b.pallet.announcements[b.signer("caller")][0]) == a


@benchmark(a=PENDING, p=PROXIES)
def reject_announcement(b: Bench[Proxy], a: int, p: int) -> Iterator[Measured]:
    """The last one."""
    real = _real(b, p)
    _announce(b, real, a)
    b.pallet.announce(b.caller(), _at(real), HASH)
    caller = b.signer("caller")
    yield b.extrinsic(Origin.of(real), b.pallet.reject_announcement.new(_at(caller), HASH))
    assert len(b.pallet.announcements[caller][0]) == a


@benchmark(a=PENDING, p=PROXIES)
def announce(b: Bench[Proxy], a: int, p: int) -> Iterator[Measured]:
    """One more."""
    real = _real(b, p)
    _announce(b, real, a)
    yield b.extrinsic(b.caller(), b.pallet.announce.new(_at(real), HASH))
    assert len(b.pallet.announcements[b.signer("caller")][0]) == a + 1


@benchmark(p=PROXIES)
def add_proxy(b: Bench[Proxy], p: int) -> Iterator[Measured]:
    """One more."""
    real, new = _real(b, p), b.account("new")
    yield b.extrinsic(Origin.of(real), b.pallet.add_proxy.new(_at(new), ProxyType.Any, 0))
    assert len(b.pallet.proxies[real][0]) == p + 1


@benchmark(p=PROXIES)
def remove_proxy(b: Bench[Proxy], p: int) -> Iterator[Measured]:
    """One fewer."""
    real, caller = _real(b, p), b.signer("caller")
    yield b.extrinsic(Origin.of(real), b.pallet.remove_proxy.new(_at(caller), ProxyType.Any, 0))
    assert len(b.pallet.proxies[real][0]) == p - 1


@benchmark(p=PROXIES)
def remove_proxies(b: Bench[Proxy], p: int) -> Iterator[Measured]:
    """All of them."""
    real = _real(b, p)
    yield b.extrinsic(Origin.of(real), b.pallet.remove_proxies.new())
    assert real not in b.pallet.proxies


@benchmark(p=PROXIES)
def create_pure(b: Bench[Proxy], p: int) -> Iterator[Measured]:
    """By an account that has `p` proxies itself."""
    real = _real(b, p)
    yield b.extrinsic(Origin.of(real), b.pallet.create_pure.new(ProxyType.Any, 0, 0))
    assert pure_account(real, b.pallet.block_number(), 0, ProxyType.Any, 0) in b.pallet.proxies


@benchmark(p=PROXIES)
def kill_pure(b: Bench[Proxy], p: int) -> Iterator[Measured]:
    """Spawned by an account that has `p` proxies itself."""
    real = _real(b, p)
    height, place = b.pallet.block_number(), b.pallet.system.extrinsic_index()
    b.pallet.create_pure(Origin.of(real), ProxyType.Any, 0, 0)
    pure = pure_account(real, height, place, ProxyType.Any, 0)
    yield b.extrinsic(Origin.of(pure), b.pallet.kill_pure.new(_at(real), ProxyType.Any, 0, height, place))
    assert pure not in b.pallet.proxies


@benchmark()
def poke_deposit(b: Bench[Proxy]) -> Iterator[Measured]:
    """Both deposits were taken at another rate."""
    _real(b, 1)
    other = _rich(b, "other")
    b.pallet.add_proxy(b.caller(), _at(other), ProxyType.Any, 0)
    _announce(b, b.signer("real"), 1)
    caller = b.signer("caller")
    listed, deposit = b.pallet.proxies[caller]
    b.pallet.proxies[caller] = listed, deposit - 1
    pending, deposit = b.pallet.announcements[caller]
    b.pallet.announcements[caller] = pending, deposit - 1
    yield b.extrinsic(b.caller(), b.pallet.poke_deposit.new())
