"""The SCALE codec against `scalecodec`, which most Python clients use: what a node decodes most often."""

from collections.abc import Iterator
from typing import Any

from scalecodec.base import RuntimeConfigurationObject, ScaleBytes
from scalecodec.type_registry import load_type_registry_preset

from benchmarks.figure import Figure, seconds_each
from frame.accounts import AccountData, AccountInfo
from primitives.scale import U32, decode, encode

MICRO = 1e6


def figures() -> Iterator[Figure]:
    """Microseconds to decode one account and a list of a thousand u32, by us and by the peer."""
    account = AccountInfo(
        nonce=7,
        consumers=1,
        providers=1,
        sufficients=0,
        data=AccountData(free=10**18, reserved=3, frozen=0, flags=1 << 127),
    )
    registry = RuntimeConfigurationObject(ss58_format=42)
    registry.update_type_registry(load_type_registry_preset("legacy"))
    registry.update_type_registry({"types": {"Account": _ACCOUNT}})
    yield _against(registry, "decode_account_us", AccountInfo, encode(AccountInfo, account), "Account")
    numbers = encode(list[U32], list(range(1000)))
    yield _against(registry, "decode_1000_u32_us", list[U32], numbers, "Vec<u32>")


_ACCOUNT = {
    "type": "struct",
    "type_mapping": [
        ["nonce", "u32"],
        ["consumers", "u32"],
        ["providers", "u32"],
        ["sufficients", "u32"],
        ["free", "u128"],
        ["reserved", "u128"],
        ["frozen", "u128"],
        ["flags", "u128"],
    ],
}


def _against(registry: Any, name: str, hint: Any, data: bytes, peer_type: str) -> Figure:
    def peer() -> object:
        return registry.create_scale_object(peer_type, data=ScaleBytes(data)).decode()

    ours = seconds_each(lambda: decode(hint, data)) * MICRO
    return Figure(name, ours, "µs", "scalecodec", seconds_each(peer) * MICRO)
