"""Block 0 of a chain spec: its state, its state root, its header and hash."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from chain_spec.code import CodeVersion, code_version
from chain_spec.errors import NoState, OtherRuntime, StateVersionUnread
from chain_spec.spec import ChainSpec, PlainGenesis, RawGenesis, RootGenesis
from frame.backend import Delta
from primitives.digest import Digest
from primitives.header import Header
from primitives.trie import EMPTY_ROOT, state_root

CODE = b":code"


class GenesisBuilder(Protocol):
    """What a spec needs of a runtime: `frame.runtime.Runtime` is one."""

    def genesis(self, config: Mapping[str, Any]) -> Delta:
        """The whole state of block 0."""


@dataclass(frozen=True)
class GenesisBlock:
    """Block 0. `delta` makes its state from nothing; None when the spec only knows the state root."""

    header: Header
    delta: Delta | None
    state_version: int | None

    @property
    def hash(self) -> bytes:
        """What names the chain."""
        return self.header.hash


def our_runtime() -> GenesisBuilder:
    """The runtime of this program."""
    from runtime import runtime  # only plain specs need it, and it takes a while to make

    return runtime()


def raw_genesis(spec: ChainSpec, runtime: GenesisBuilder | None = None) -> RawGenesis:
    """Every key and value of the spec's genesis state; a plain one is built by `runtime`.

    Raises OtherRuntime when the spec names another runtime, NoState when it has only a state root.
    """
    genesis = spec.genesis
    if isinstance(genesis, RawGenesis):
        return genesis
    if isinstance(genesis, RootGenesis):
        raise NoState("the chain spec holds only the root of its genesis state, not the state")
    return _built(genesis, runtime or our_runtime())


def _built(genesis: PlainGenesis, runtime: GenesisBuilder) -> RawGenesis:
    delta = runtime.genesis(genesis.config)
    top = _present(delta.top)
    if genesis.code is not None and genesis.code != top.get(CODE):
        raise OtherRuntime(
            f"the chain spec's genesis is to be built by {_named(genesis.code)}, "
            f"this program has {_named(top.get(CODE, b''))}; ask for the raw chain spec"
        )
    return RawGenesis(top, {name: _present(changes) for name, changes in delta.children.items()})


def _present(changes: Mapping[bytes, bytes | None]) -> dict[bytes, bytes]:
    return {key: value for key, value in changes.items() if value is not None}


def _named(code: bytes) -> str:
    try:
        version = code_version(code)
    except Exception:  # only the text of another error: whatever the bytes are, they are another runtime
        return "an unknown runtime"
    return f"{version.spec_name} {version.spec_version}"


def runtime_of(genesis: RawGenesis) -> CodeVersion:
    """The version of the runtime in the state. Raises StateVersionUnread, CodeMalformed."""
    code = genesis.top.get(CODE)
    if code is None:
        raise StateVersionUnread("the genesis state has no :code; say which with --state-version 0 or 1")
    return code_version(code)


def genesis_block(
    spec: ChainSpec, *, runtime: GenesisBuilder | None = None, state_version: int | None = None
) -> GenesisBlock:
    """Block 0 of the chain. `state_version` overrides what `:code` says.

    Raises StateVersionUnread, CodeMalformed, OtherRuntime, and primitives.trie.InvalidKey for hostile keys.
    """
    if isinstance(spec.genesis, RootGenesis):
        return GenesisBlock(_header(spec.genesis.state_root), None, state_version)
    raw = raw_genesis(spec, runtime)
    version = runtime_of(raw).state_version if state_version is None else state_version
    root = state_root(raw.top, raw.children, version)
    delta = Delta(_sorted(raw.top), {name: _sorted(raw.children[name]) for name in sorted(raw.children)})
    return GenesisBlock(_header(root), delta, version)


def _sorted(space: Mapping[bytes, bytes]) -> dict[bytes, bytes | None]:
    return {key: space[key] for key in sorted(space)}


def _header(root: bytes) -> Header:
    """Block 0 has no parent, no extrinsics and no digest."""
    return Header(
        parent_hash=bytes(32), number=0, state_root=root, extrinsics_root=EMPTY_ROOT, digest=Digest(logs=[])
    )
