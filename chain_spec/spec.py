"""A chain spec: what a chain is called and how it begins, in the JSON that Substrate's tools read and write.

The genesis is *raw* (every key and value of the state), *plain* (what the runtime builds the state from) or
only the state root. Specs come from strangers: sizes are bounded, every field is checked, errors name the
field.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from chain_spec.errors import SpecMalformed, SpecTooLarge, SpecUnreadable

MAX_SPEC = 64 * 1024 * 1024
"""Most bytes of a spec file. A relay chain's raw genesis takes about 10 MiB."""
CHAIN_TYPES = ("Development", "Local", "Live")
MAX_NAME = 256

JsonObject = Mapping[str, Any]


@dataclass(frozen=True)
class RawGenesis:
    """The whole state: top level, and child tries by their unprefixed name."""

    top: Mapping[bytes, bytes]
    children: Mapping[bytes, Mapping[bytes, bytes]] = field(default_factory=dict)


@dataclass(frozen=True)
class PlainGenesis:
    """What a runtime builds the state from: pallet → its genesis fields, absent ones at their defaults.

    `code` is the runtime that is meant to do so (None: not said).
    """

    config: JsonObject
    code: bytes | None = None


@dataclass(frozen=True)
class RootGenesis:
    """Only the root of the state is known."""

    state_root: bytes


Genesis = RawGenesis | PlainGenesis | RootGenesis


@dataclass(frozen=True)
class ChainSpec:
    """A chain spec. `extra` keeps the fields of others (such as `relay_chain`) as they are."""

    name: str
    id: str
    genesis: Genesis
    chain_type: str | JsonObject = "Live"
    boot_nodes: tuple[str, ...] = ()
    telemetry_endpoints: Any = None
    protocol_id: str | None = None
    properties: JsonObject = field(default_factory=dict)
    code_substitutes: Mapping[str, str] = field(default_factory=dict)
    extra: JsonObject = field(default_factory=dict)

    def to_json(self) -> str:
        """The spec as JSON text, fields in Substrate's order. Raises SpecMalformed if it nests too deeply."""
        fields = {
            "name": self.name,
            "id": self.id,
            "chainType": self.chain_type,
            "bootNodes": list(self.boot_nodes),
            "telemetryEndpoints": self.telemetry_endpoints,
            "protocolId": self.protocol_id,
            "properties": dict(self.properties),
            **self.extra,
            "codeSubstitutes": dict(self.code_substitutes),
            "genesis": _genesis_to_json(self.genesis),
        }
        try:
            return json.dumps(fields, indent=2)
        except RecursionError:
            raise SpecMalformed("the chain spec nests too deeply") from None

    def with_genesis(self, genesis: Genesis) -> ChainSpec:
        """The same chain with its genesis in another form."""
        return replace(self, genesis=genesis)


def load(path: str | Path) -> ChainSpec:
    """Read a spec from a file. Raises SpecUnreadable, SpecTooLarge, SpecMalformed."""
    path = Path(path)
    try:
        with path.open("rb") as file:
            data = file.read(MAX_SPEC + 1)
    except OSError as error:
        raise SpecUnreadable(f"cannot read the chain spec {path}: {error.strerror}") from error
    return parse(data)


def parse(data: bytes | str) -> ChainSpec:
    """A spec from JSON. Raises SpecTooLarge, SpecMalformed."""
    if len(data) > MAX_SPEC:
        raise SpecTooLarge(f"the chain spec has more than {MAX_SPEC} bytes")
    try:
        fields = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise SpecMalformed(f"the chain spec is not JSON: {error}") from error
    return _Fields(fields).spec()


# ── JSON → spec ─────────────────────────────────────────────────────────────

_KNOWN = {
    "name",
    "id",
    "chainType",
    "bootNodes",
    "telemetryEndpoints",
    "protocolId",
    "properties",
    "codeSubstitutes",
    "genesis",
}


def _object(value: object, where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise SpecMalformed(f"the chain spec's {where} is not an object")
    return value


def _hex(text: object, where: str) -> bytes:
    if not isinstance(text, str) or not text.startswith("0x"):
        raise SpecMalformed(f"the chain spec's {where} is not hexadecimal text with 0x")
    digits = text[2:]
    if not digits.isascii() or not (digits.isalnum() or digits == ""):
        raise SpecMalformed(f"the chain spec's {where} has characters that are not hexadecimal")
    try:
        return bytes.fromhex(digits)
    except ValueError:
        raise SpecMalformed(f"the chain spec's {where} is not whole hexadecimal bytes") from None


def _space(value: object, where: str) -> dict[bytes, bytes]:
    return {
        _hex(key, f"{where} key"): _hex(item, f"{where} value") for key, item in _object(value, where).items()
    }


class _Fields:
    """The checked fields of one spec."""

    def __init__(self, fields: object) -> None:
        self._fields = _object(fields, "outermost value")

    def spec(self) -> ChainSpec:
        return ChainSpec(
            name=self._text("name"),
            id=self._text("id"),
            genesis=_genesis(self._fields.get("genesis")),
            chain_type=self._chain_type(),
            boot_nodes=self._boot_nodes(),
            telemetry_endpoints=self._fields.get("telemetryEndpoints"),
            protocol_id=self._optional_text("protocolId"),
            properties=_object(self._fields.get("properties") or {}, "properties"),
            code_substitutes=_object(self._fields.get("codeSubstitutes") or {}, "codeSubstitutes"),
            extra={key: value for key, value in self._fields.items() if key not in _KNOWN},
        )

    def _text(self, name: str) -> str:
        value = self._fields.get(name)
        if not isinstance(value, str) or not 0 < len(value) <= MAX_NAME:
            raise SpecMalformed(f"the chain spec's {name} is not a text of 1 to {MAX_NAME} characters")
        return value

    def _optional_text(self, name: str) -> str | None:
        return None if self._fields.get(name) is None else self._text(name)

    def _chain_type(self) -> str | JsonObject:
        value = self._fields.get("chainType", "Live")
        if value in CHAIN_TYPES:
            return str(value)
        if isinstance(value, dict) and list(value) == ["Custom"] and isinstance(value["Custom"], str):
            return value
        raise SpecMalformed(f"the chain spec's chainType is none of {', '.join(CHAIN_TYPES)} or Custom")

    def _boot_nodes(self) -> tuple[str, ...]:
        value = self._fields.get("bootNodes") or []
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise SpecMalformed("the chain spec's bootNodes is not a list of texts")
        return tuple(value)


def _genesis(value: object) -> Genesis:
    genesis = _object(value, "genesis")
    if "raw" in genesis:
        return _raw_genesis(_object(genesis["raw"], "genesis.raw"))
    if "stateRootHash" in genesis:
        root = _hex(genesis["stateRootHash"], "genesis.stateRootHash")
        if len(root) != 32:
            raise SpecMalformed("the chain spec's genesis.stateRootHash is not 32 bytes")
        return RootGenesis(root)
    if "runtimeGenesis" in genesis:
        return _plain_genesis(_object(genesis["runtimeGenesis"], "genesis.runtimeGenesis"))
    raise SpecMalformed("the chain spec's genesis has none of raw, runtimeGenesis, stateRootHash")


def _raw_genesis(raw: dict[str, Any]) -> RawGenesis:
    children = _object(raw.get("childrenDefault") or {}, "genesis.raw.childrenDefault")
    return RawGenesis(
        _space(raw.get("top"), "genesis.raw.top"),
        {
            _hex(name, "genesis.raw.childrenDefault key"): _space(space, "genesis.raw.childrenDefault")
            for name, space in children.items()
        },
    )


def _plain_genesis(plain: dict[str, Any]) -> PlainGenesis:
    code = _hex(plain["code"], "genesis.runtimeGenesis.code") if plain.get("code") is not None else None
    for form in ("patch", "config"):
        if form in plain:
            return PlainGenesis(_object(plain[form], f"genesis.runtimeGenesis.{form}"), code)
    raise SpecMalformed("the chain spec's genesis.runtimeGenesis has neither patch nor config")


# ── spec → JSON ─────────────────────────────────────────────────────────────


def _space_to_json(space: Mapping[bytes, bytes]) -> dict[str, str]:
    return {"0x" + key.hex(): "0x" + space[key].hex() for key in sorted(space)}


def _genesis_to_json(genesis: Genesis) -> dict[str, Any]:
    if isinstance(genesis, RootGenesis):
        return {"stateRootHash": "0x" + genesis.state_root.hex()}
    if isinstance(genesis, RawGenesis):
        children = {
            "0x" + name.hex(): _space_to_json(genesis.children[name]) for name in sorted(genesis.children)
        }
        return {"raw": {"top": _space_to_json(genesis.top), "childrenDefault": children}}
    code = {} if genesis.code is None else {"code": "0x" + genesis.code.hex()}
    return {"runtimeGenesis": {**code, "patch": dict(genesis.config)}}
