"""How much room a block has left, by weight and length (`frame_system`'s `CheckWeight`)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any, NamedTuple

from frame import DispatchClass, DispatchInfo, Pallet, PostInfo, Weight
from frame.limits import BlockLength, BlockWeights, ConsumedWeight
from frame.state import Late, Overlay
from frame.traits import SystemPallet
from frame.transaction import Invalid, InvalidTransaction
from frame.weights import MAX_PART, weight
from pallets.system.declared import Config, Declared
from primitives.scale import codec

_NO_LIMIT = 1 << 80


class _Room(NamedTuple):
    """The limits of a class in plain numbers; where there is none, one that nothing reaches."""

    largest_time: int
    largest_proof: int
    length: int
    base_time: int
    base_proof: int
    most_time: int
    most_proof: int
    reserved_time: int
    reserved_proof: int
    block_time: int
    block_proof: int


def _room(config: Config, kind: DispatchClass) -> _Room:
    limits, block = config.block_weights.of(kind), config.block_weights.max_block
    base = limits.base_extrinsic
    return _Room(
        *_bounds(limits.max_extrinsic),
        config.block_length.of(kind),
        base.ref_time,
        base.proof_size,
        *_bounds(limits.max_total),
        *_bounds(limits.reserved),
        *_bounds(block),
    )


def _bounds(limit: Weight | None) -> tuple[int, int]:
    # Weights saturate: whatever is used fits the greatest limit there is.
    parts = (MAX_PART, MAX_PART) if limit is None else (limit.ref_time, limit.proof_size)
    time, proof = (_NO_LIMIT if part >= MAX_PART else part for part in parts)
    return time, proof


class _Usual(NamedTuple):
    """What is known of the next extrinsic if it is like the last one."""

    info: DispatchInfo
    more_time: int
    """What it adds to what its class has used."""
    more_proof: int
    most_time: int
    """How far that may go."""
    most_proof: int
    longest: int
    """How long all may be."""


class _Used(Late):
    """What a block has used, in plain numbers: see `Limits.use_room`."""

    __slots__ = ("base", "proof", "time", "usual")

    def __init__(self, usual: _Usual, base: ConsumedWeight, time: int, proof: int) -> None:
        self.usual = usual
        self.base = base
        """What all classes had used when one of them began to be used in the usual way."""
        self.time = time
        """What that class has used now."""
        self.proof = proof

    def value(self) -> ConsumedWeight:
        return self.base.with_class(self.usual.info.dispatch_class, weight(self.time, self.proof))

    def encoded(self) -> bytes:
        return codec(ConsumedWeight).encode(self.value())


_new = object.__new__


class Limits(Declared, partial=True):
    """What the extrinsics of a block have used, and what they may."""

    def connect(self, bound_pallets: Mapping[int, Pallet[Any]], system: SystemPallet) -> None:
        super().connect(bound_pallets, system)
        self._length_so_far = self.all_extrinsics_len.getter(0)
        overlay = self.machine.overlay
        self._weight_key, self._length_key = self.block_weight.key, self.all_extrinsics_len.key
        self._stays_usual = type(overlay) is Overlay  # not one that counts reads and writes
        self._view, self._note = overlay.view, overlay.journal.extend

    def ss58_prefix(self) -> int:
        return self.config.ss58_prefix

    def block_weights(self) -> BlockWeights:
        return self.config.block_weights

    def block_length(self) -> BlockLength:
        return self.config.block_length

    def used_weight(self, dispatch_class: DispatchClass) -> Weight:
        return self.block_weight.get().of(dispatch_class)

    def weight_left(self) -> Weight:
        return self.config.block_weights.max_block - self.block_weight.get().total()

    def has_room(self) -> bool:
        # In plain numbers, since the block author asks before every extrinsic.
        limits, most = self.config.block_weights.per_class.normal, self.config.block_weights.max_block
        used = self.block_weight.get()
        mine = used.normal.ref_time + limits.base_extrinsic.ref_time
        everyone = mine + used.operational.ref_time + used.mandatory.ref_time
        return everyone <= most.ref_time and (limits.max_total is None or mine <= limits.max_total.ref_time)

    def register_extra_weight(self, weight: Weight, dispatch_class: DispatchClass) -> None:
        used = self.block_weight.get()
        self.block_weight.put(used.with_class(dispatch_class, used.of(dispatch_class) + weight))

    @cached_property
    def _rooms(self) -> tuple[_Room, ...]:
        return tuple(_room(self.config, kind) for kind in DispatchClass)

    def check_room(self, info: DispatchInfo, length: int) -> None:
        room, used = self._rooms[info.dispatch_class], info.weight
        if (
            used.ref_time > room.largest_time
            or used.proof_size > room.largest_proof
            or self._length_so_far() + length > room.length
        ):
            raise InvalidTransaction(Invalid.ExhaustsResources)

    def use_room(self, info: DispatchInfo, length: int) -> None:
        # One extrinsic after another of the same kind: what it adds and how far that may go is known.
        # Weight and length stay plain numbers until someone asks.
        view, at, length_at = self._view, self._weight_key, self._length_key
        before, size = view.get(at), view.get(length_at)
        if type(before) is _Used and type(size) is tuple:
            usual = before.usual
            known, more_time, more_proof, most_time, most_proof, longest = usual
            time, proof = before.time + more_time, before.proof + more_proof
            total = size[0] + length
            if known is info and time <= most_time and proof <= most_proof and total <= longest:
                after: _Used = _new(_Used)
                after.usual = usual
                after.base = before.base
                after.time = time
                after.proof = proof
                self._note((at, before, length_at, size))
                view[at] = after
                view[length_at] = (total, size[1])
                return
        self._use_room(info, length)

    def _use_room(self, info: DispatchInfo, length: int) -> None:
        # In plain numbers, since every extrinsic passes here. What is below a limit is in its type's range.
        kind, new = info.dispatch_class, info.weight
        room, before = self._rooms[kind], self.block_weight.get()
        total = self._length_so_far() + length
        a, b, c = before.normal, before.operational, before.mandatory
        old = (a, b, c)[kind]
        time = old.ref_time + new.ref_time + room.base_time
        proof = old.proof_size + new.proof_size + room.base_proof
        if (
            new.ref_time > room.largest_time
            or new.proof_size > room.largest_proof
            or total > room.length
            or time > room.most_time
            or proof > room.most_proof
        ):
            raise InvalidTransaction(Invalid.ExhaustsResources)
        all_time = a.ref_time + b.ref_time + c.ref_time + time - old.ref_time
        all_proof = a.proof_size + b.proof_size + c.proof_size + proof - old.proof_size
        if (all_time > room.block_time or all_proof > room.block_proof) and (
            time > room.reserved_time or proof > room.reserved_proof
        ):
            raise InvalidTransaction(Invalid.ExhaustsResources)
        self.all_extrinsics_len.put(total)
        after = before.with_class(kind, weight(time, proof))
        self.block_weight.put_checked(after)
        if not self._stays_usual:
            return
        usual = _Usual(
            info,
            more_time=new.ref_time + room.base_time,
            more_proof=new.proof_size + room.base_proof,
            most_time=min(room.most_time, room.block_time - all_time + time, MAX_PART),
            most_proof=min(room.most_proof, room.block_proof - all_proof + proof, MAX_PART),
            longest=room.length,
        )
        self._view[self._weight_key] = _Used(usual, after, time, proof)

    def reclaim(self, info: DispatchInfo, post: PostInfo) -> None:
        if post.actual_weight is None:
            return
        unused = info.weight - post.actual_weight
        if unused.ref_time or unused.proof_size:
            used = self.block_weight.get()
            self.block_weight.put(used.with_class(info.dispatch_class, used.of(info.dispatch_class) - unused))
