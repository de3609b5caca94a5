"""Benchmarks of transaction extensions: what each does around a signed call, from the implicit bytes that
its signature covers to the settlement after the call.

They have no weights of their own: every signed extrinsic passes all of them, so their time is part of the
base weight of an extrinsic (`benchmark overhead`). Here one sees each one's share, and the largest proof.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from frame.benchmarking.bench import Bench, Benchmark, Measured
from frame.call import PostInfo
from frame.extensions.base import Extension
from frame.extrinsic import Checked, parse
from frame.names import snake
from frame.pallet import Pallet
from frame.runtime import Runtime
from frame.testing import sign
from frame.transaction import Judgement


def extension_benchmarks(runtime: type[Runtime]) -> tuple[Benchmark, ...]:
    """One for each extension of the runtime, in its order."""
    return tuple(_benchmark(place, extension) for place, extension in enumerate(runtime.extensions))


def _benchmark(place: int, extension: Extension) -> Benchmark:
    def run(b: Bench[Pallet[Any]]) -> Iterator[Measured]:
        who = b.endow(b.signer())
        genesis_hash = b.ext.machine.system.block_hash(0) or bytes(32)
        call = b.call("System", "remark", b"")
        raw = sign(b.ext.runtime, b.keys[who], call, genesis_hash=genesis_hash)
        (found, signed, _), _, _ = parse(b.ext.machine, raw)
        assert signed is not None
        carried: tuple[Any, ...] = signed.extra
        bound = b.ext.machine.extensions[place]
        extra = None if bound.slot < 0 else carried[bound.slot]

        def around() -> None:
            tx = Checked(found, who, carried, len(raw))
            bound.implicit_bytes(extra)
            bound.validate(tx, extra, Judgement())
            bound.finish(tx, extra, bound.prepare(tx, extra), PostInfo())

        yield around

    run.__doc__ = (type(extension).__doc__ or "").strip()
    return Benchmark(snake(extension.identifier), run, {})
