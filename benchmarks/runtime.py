"""The runtime alone: reading storage, decoding a transfer, judging it for the pool, applying it.

No database and no network, and signatures are believed, so that these figures show frame and pallets.
"""

from collections.abc import Callable, Iterator

from benchmarks.figure import Figure, seconds_each
from frame.call import RuntimeCall
from frame.extrinsic import parse
from frame.host import PlainHost
from frame.runtime import BlockBuilder
from frame.testing import Chain
from primitives.extrinsic import MultiAddress
from primitives.keys import Keypair
from runtime import GristmillRuntime, runtime
from runtime.constants import GRIST

MICRO = 1e6
TRANSFERS = 1000


class Believing(PlainHost):
    """A host that believes every signature."""

    def verify(self, scheme: int, signature: bytes, message: bytes, public: bytes) -> bool:
        """Always."""
        return True


def figures() -> Iterator[Figure]:
    """Microseconds each, and the size of the metadata."""
    alice = Keypair.from_uri("//Alice")
    chain = Chain(runtime(), {"balances": {"balances": [[alice.address, 10**6 * GRIST]]}}, Believing())
    transfers = [_transfer(chain, alice, nonce) for nonce in range(TRANSFERS)]
    machine = chain.runtime.machine()
    machine.overlay.reset(chain.state)
    system = machine.of(GristmillRuntime.system)
    yield Figure("storage_get_us", _micro(system.number.get), "µs")
    yield Figure("storage_get_account_us", _micro(lambda: system.account(alice.account_id)), "µs")
    yield Figure("decode_transfer_us", _micro(lambda: parse(machine, transfers[0])), "µs")
    at = chain.header.hash
    validate = _micro(lambda: chain.runtime.validate(chain.state, 2, transfers[0], at, chain.host))
    yield Figure("validate_transfer_us", validate, "µs")
    each = seconds_each(lambda: _fill(chain.open(), transfers), runs=3) / TRANSFERS
    yield Figure("apply_transfer_us", each * MICRO, "µs")
    yield Figure("metadata_v14_bytes", len(chain.runtime.metadata(14)), "bytes")


def _micro(work: Callable[[], object]) -> float:
    return seconds_each(work) * MICRO


def _transfer(chain: Chain, sender: Keypair, nonce: int) -> bytes:
    dest = MultiAddress.Id(value=(nonce + 1).to_bytes(32, "little"))
    call = RuntimeCall(GristmillRuntime.balances.entry("transfer_keep_alive"), (dest, GRIST))
    return chain.sign(sender, call, nonce)


def _fill(builder: BlockBuilder, transfers: list[bytes]) -> None:
    for raw in transfers:
        builder.apply(raw)
    builder.abandon()
