"""Many instances of benchmarks set up beside each other in one state, each as a signed extrinsic.

What a benchmark sets up for one account, it sets up again for another: so a block can be filled with calls
that all take the dear way. Calls of root are wrapped in `sudo`, those of an account without a key in `proxy`.
Each signer is given its fee, and no more, so that accounts which a benchmark wants reaped are reaped.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from frame.benchmarking import Bench, Dispatched, Task
from frame.benchmarking.bench import shared_key
from frame.call import DispatchInfo, RuntimeCall
from frame.errors import DispatchError
from frame.executive import post_info
from frame.machine import Trap
from frame.origin import Origin
from frame.testing import Externalities, sign
from primitives.extrinsic import MultiAddress
from primitives.keys import Keypair
from runtime import GristmillRuntime

FOLD = 64
"""Instances after which what they wrote leaves the overlay, whose walks over keys look at all it holds."""
OVERHEAD = 200
"""Bytes of a signed extrinsic besides its call, at most."""


@dataclass(frozen=True)
class Corner:
    """A benchmark with the values of its components, at one end of their ranges."""

    task: Task
    components: Mapping[str, int]

    @property
    def name(self) -> str:
        """`pallet::benchmark(n = 5)`."""
        values = ", ".join(f"{name} = {value}" for name, value in self.components.items())
        return f"{self.task.name}({values})" if values else self.task.name


@dataclass(frozen=True)
class Member:
    """One instance: a call, who signs it, and the weight that the first of its kind said it used."""

    call: RuntimeCall
    signer: Keypair
    used: int


@dataclass
class Crowd:
    """A state being set up, and what is to be done in it."""

    ext: Externalities
    members: list[Member] = field(default_factory=list)
    root: Keypair = field(default_factory=lambda: shared_key("sudo"))
    _known: dict[str, int] = field(default_factory=dict)
    """Weight used, by the name of a corner: all its instances use the same."""

    def add(self, corner: Corner, instance: int) -> Member | None:
        """Set an instance up; None when a signed extrinsic cannot do what it does."""
        pallet = self.ext.pallet(corner.task.kind)
        bench = Bench(self.ext, pallet, 0, instance)
        run = corner.task.benchmark.function(bench, **corner.components)
        thunk = next(run)
        if not isinstance(thunk, Dispatched):
            return None
        call = thunk.call
        if thunk.origin.is_root:
            self.ext.of(GristmillRuntime.sudo).key.put(self.root.account_id)
            call = RuntimeCall(GristmillRuntime.sudo.entry("sudo"), (call,))
            signer = self.root
        else:
            who = thunk.origin.account
            found = None if who is None else self._signed(bench, who, call)
            if found is None:
                return None
            call, signer = found
        self._endow(signer.account_id, call)
        if corner.name not in self._known:
            self._known[corner.name] = self._used(call, thunk)
        member = Member(call, signer, self._known[corner.name])
        self.members.append(member)
        if len(self.members) % FOLD == 0:
            self._fold()
        return member

    def _fold(self) -> None:
        ext = self.ext
        ext.clear_events()
        ext.backend.apply(ext.overlay.delta())
        ext.overlay.reset(ext.backend)
        ext.machine.forget_values()

    def _signed(self, bench: Bench[Any], who: bytes, call: RuntimeCall) -> tuple[RuntimeCall, Keypair] | None:
        """The call and who signs it: the account, or for one without a key a proxy of it."""
        if who in bench.keys:
            return call, bench.keys[who]
        proxies, _ = self.ext.of(GristmillRuntime.proxy).proxies[who]
        for proxy in proxies:
            if proxy.delegate in bench.keys:
                entry = GristmillRuntime.proxy.entry("proxy")
                carried = RuntimeCall(entry, (MultiAddress.Id(value=who), None, call))
                return carried, bench.keys[proxy.delegate]
        return None

    def _endow(self, who: bytes, call: RuntimeCall) -> None:
        """The fee, and an existential deposit if the account does not live yet."""
        balances = self.ext.of(GristmillRuntime.balances)
        payment = self.ext.of(GristmillRuntime.transaction_payment)
        info: DispatchInfo = call.info()
        fee = payment.compute_fee(info, len(call.encode()) + OVERHEAD, 0)
        living = self.ext.machine.system.account_exists(who)
        balances.mint_into(who, fee + (0 if living else balances.minimum_balance()))

    def _used(self, call: RuntimeCall, thunk: Dispatched) -> int:
        """Picoseconds, refunds taken off; as declared when the call fails."""
        info = call.info()
        with self.ext.undone():
            try:
                result = self.ext.machine.dispatch(thunk.call, thunk.origin)
            except (DispatchError, Trap):
                return info.weight.ref_time
        return post_info(result).weight_of(info).ref_time

    def able(self) -> list[Member]:
        """The members whose calls succeed when all run one after another."""
        found = []
        with self.ext.undone():
            for member in self.members:
                try:
                    self.ext.dispatch(member.call, Origin.of(member.signer.account_id))
                except DispatchError:
                    continue
                found.append(member)
        return found

    def extrinsics(self, members: Sequence[Member] | None = None) -> Iterator[bytes]:
        """Signed for the chain as it stands."""
        system = self.ext.machine.system
        genesis_hash = system.block_hash(0) or bytes(32)
        nonces: dict[bytes, int] = {}
        for member in self.members if members is None else members:
            who = member.signer.account_id
            nonce = nonces.get(who, system.account_nonce(who))
            nonces[who] = nonce + 1
            yield sign(self.ext.runtime, member.signer, member.call, genesis_hash=genesis_hash, nonce=nonce)
