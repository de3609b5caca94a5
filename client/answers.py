"""What a node's answers look like: a node is somebody else's program, and may answer anything.

Only shapes are checked here; what the bytes inside mean is checked where they are decoded.
"""

from collections.abc import Callable
from typing import Any

from client.errors import ClientError

Shape = Callable[[Any], bool]


def _hex(value: Any) -> bool:
    if not isinstance(value, str) or not value.startswith("0x"):
        return False
    try:
        bytes.fromhex(value[2:])
    except ValueError:
        return False
    return True


def _hash(value: Any) -> bool:
    return _hex(value) and len(value) == 66


def _number(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**64


def _or_null(shape: Shape) -> Shape:
    return lambda value: value is None or shape(value)


def _list(shape: Shape) -> Shape:
    return lambda value: isinstance(value, list) and all(map(shape, value))


def _record(**fields: Shape) -> Shape:
    return lambda value: (
        isinstance(value, dict) and all(shape(value.get(name)) for name, shape in fields.items())
    )


def _block_number(value: Any) -> bool:
    digits = value[2:] if isinstance(value, str) and value.startswith("0x") else ""
    return 0 < len(digits) <= 16 and set(digits) <= set("0123456789abcdefABCDEF")


def _change(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 2 and _hex(value[0]) and _or_null(_hex)(value[1])


SHAPES: dict[str, Shape] = {
    "author_submitExtrinsic": _hash,
    "chain_getBlock": _record(block=_record(extrinsics=_list(_hex))),
    "chain_getBlockHash": _or_null(_hash),
    "chain_getFinalizedHead": _hash,
    "chain_getHeader": _or_null(_record(number=_block_number)),
    "state_getChildReadProof": _record(proof=_list(_hex)),
    "state_getKeysPaged": _list(_hex),
    "state_getMetadata": _hex,
    "state_getReadProof": _record(proof=_list(_hex)),
    "state_getRuntimeVersion": _record(specVersion=_number, transactionVersion=_number),
    "state_getStorage": _or_null(_hex),
    "state_queryStorageAt": _list(_record(changes=_list(_change))),
    "system_accountNextIndex": _number,
}
"""Every method that the client calls."""


def check(method: str, result: Any) -> Any:
    """The result, when it has its method's shape. Raises ClientError BadAnswer."""
    shape = SHAPES.get(method)
    if shape is not None and not shape(result):
        raise ClientError(
            f"the node's answer to {method} is not of the form that it should have", "BadAnswer"
        )
    return result
