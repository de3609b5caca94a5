"""How much a block may hold (`frame_system::limits`)."""

from __future__ import annotations

from typing import Final

from frame.call import DispatchClass
from frame.weights import MAX_PART, PICOS_PER_SECOND, ZERO, Weight, micros, weight
from primitives.scale import U32, Struct


class WeightsPerClass(Struct, path="frame_system::limits::WeightsPerClass"):
    """The limits of one dispatch class; None is no limit."""

    base_extrinsic: Weight
    """Charged for each extrinsic besides its call."""
    max_extrinsic: Weight | None
    max_total: Weight | None
    reserved: Weight | None
    """What the class may use even in a full block."""


class WeightsByClass(Struct, path="frame_support::dispatch::PerDispatchClass"):
    """One of each class."""

    normal: WeightsPerClass
    operational: WeightsPerClass
    mandatory: WeightsPerClass


class BlockWeights(Struct, path="frame_system::limits::BlockWeights"):
    """The weights of a block."""

    base_block: Weight
    """Charged for an empty block."""
    max_block: Weight
    per_class: WeightsByClass

    def of(self, dispatch_class: DispatchClass) -> WeightsPerClass:
        """The limits of a class."""
        classes = self.per_class
        return (classes.normal, classes.operational, classes.mandatory)[dispatch_class]


class LengthsByClass(Struct, path="frame_support::dispatch::PerDispatchClass"):
    """A length in bytes for each class."""

    normal: U32
    operational: U32
    mandatory: U32


class BlockLength(Struct, path="frame_system::limits::BlockLength"):
    """The lengths up to which a class may fill a block's body."""

    max: LengthsByClass

    def of(self, dispatch_class: DispatchClass) -> int:
        """The limit of a class."""
        return (self.max.normal, self.max.operational, self.max.mandatory)[dispatch_class]


class ConsumedWeight(Struct, path="frame_support::dispatch::PerDispatchClass"):
    """What each class has used of the present block."""

    normal: Weight
    operational: Weight
    mandatory: Weight

    def of(self, dispatch_class: DispatchClass) -> Weight:
        """The use of a class."""
        if dispatch_class == DispatchClass.Normal:
            return self.normal
        return self.operational if dispatch_class == DispatchClass.Operational else self.mandatory

    def total(self) -> Weight:
        """The use of all classes."""
        return self.normal + self.operational + self.mandatory

    def total_fits(self, limit: Weight) -> bool:
        """Whether neither part of the total is above `limit`."""
        a, b, c = self.normal, self.operational, self.mandatory
        return (
            min(a.ref_time + b.ref_time + c.ref_time, MAX_PART) <= limit.ref_time
            and min(a.proof_size + b.proof_size + c.proof_size, MAX_PART) <= limit.proof_size
        )

    def with_class(self, dispatch_class: DispatchClass, weight: Weight) -> ConsumedWeight:
        """A copy in which one class has used `weight`."""
        normal, operational, mandatory = self.normal, self.operational, self.mandatory
        if dispatch_class == DispatchClass.Normal:
            normal = weight
        elif dispatch_class == DispatchClass.Operational:
            operational = weight
        else:
            mandatory = weight
        return ConsumedWeight(normal=normal, operational=operational, mandatory=mandatory)


NOTHING: Final = ConsumedWeight(normal=ZERO, operational=ZERO, mandatory=ZERO)

MIB: Final = 1 << 20
_PERCENT: Final = 75


def block_weights(max_block: Weight, base_block: Weight, base_extrinsic: Weight) -> BlockWeights:
    """Substrate's usual split: Normal gets 75 % of the block, Operational all, with the rest reserved to it.

    Mandatory calls have no limit. One extrinsic leaves room for what `on_initialize` uses, 10 % of the block.
    """
    normal = weight(max_block.ref_time * _PERCENT // 100, max_block.proof_size * _PERCENT // 100)
    hooks = weight(max_block.ref_time // 10, max_block.proof_size // 10)
    return BlockWeights(
        base_block=base_block,
        max_block=max_block,
        per_class=WeightsByClass(
            normal=WeightsPerClass(
                base_extrinsic=base_extrinsic,
                max_extrinsic=normal - hooks - base_extrinsic,
                max_total=normal,
                reserved=ZERO,
            ),
            operational=WeightsPerClass(
                base_extrinsic=base_extrinsic,
                max_extrinsic=max_block - hooks - base_extrinsic,
                max_total=max_block,
                reserved=max_block - normal,
            ),
            mandatory=WeightsPerClass(
                base_extrinsic=base_extrinsic, max_extrinsic=None, max_total=None, reserved=None
            ),
        ),
    )


def block_length(max_bytes: int) -> BlockLength:
    """Normal extrinsics fill 75 % of `max_bytes`, the others all of it."""
    return BlockLength(
        max=LengthsByClass(normal=max_bytes * _PERCENT // 100, operational=max_bytes, mandatory=max_bytes)
    )


DEFAULT_WEIGHTS: Final = block_weights(
    max_block=weight(2 * PICOS_PER_SECOND, (1 << 64) - 1), base_block=micros(1000), base_extrinsic=micros(125)
)
DEFAULT_LENGTH: Final = block_length(5 * MIB)
