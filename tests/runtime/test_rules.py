"""What the chain's rules are under its `spec_version`, as Substrate counts it: whoever changes what a block
does to a state raises the number, or nodes that call themselves the same would disagree.

`golden/rules.json` has, under the last number that was approved, digests of every call's encoding, constant
and weight, and of what each benchmark writes at its lowest (every call has one). Where any of it differs,
`spec_version` in `runtime/gristmill.py` has to rise; where it is what wallets sign (a call's encoding, the
extensions), `transaction_version` too. `APPROVE=1 pytest tests/runtime` then records the new rules, and never
under a number that has others. A check that no benchmark meets is left to the reviewer.
"""

from __future__ import annotations

import importlib
import json
import os
from pathlib import Path
from typing import Any

import pytest

from frame.benchmarking import Benchmark
from frame.benchmarking.passes import Point
from frame.metadata.types import MetadataV15, TypeDef
from node.benchmark.subjects import Subject, subjects
from primitives.hashing import blake2_256
from primitives.scale import codec
from runtime import GristmillRuntime, runtime

GOLDEN = Path(__file__).parent / "golden" / "rules.json"
Rules = dict[str, Any]
SIGNED = ("extensions", "calls")
"""The parts that a signature is about."""


def test_rules_change_with_their_number_only() -> None:
    recorded, found = json.loads(GOLDEN.read_text()), rules()
    problem = verdict(recorded, found)
    if os.environ.get("APPROVE") and not problem:
        GOLDEN.write_text(json.dumps(found, indent=1, sort_keys=True) + "\n")
        return
    if not problem and found != recorded:
        problem = "new rules under a new spec_version: `APPROVE=1 pytest tests/runtime` records them"
    assert not problem, problem


@pytest.mark.parametrize(
    ("changes", "wanted"),
    [
        ({}, ""),
        ({"spec_version": 8}, ""),
        ({"spec_version": 6}, "spec_version fell"),
        ({"effects": {"a": "2"}}, "effects a"),
        ({"effects": {"a": "2"}, "spec_version": 8}, ""),
        ({"weights": {"a": "1", "b": "1"}}, "weights b"),
        ({"constants": {}}, "constants a"),
        ({"calls": {"a": "2"}, "spec_version": 8}, "transaction_version"),
        ({"calls": {}, "spec_version": 8}, "transaction_version"),
        ({"extensions": {"a": "2"}, "spec_version": 8}, "transaction_version"),
        ({"calls": {"a": "2"}, "spec_version": 8, "transaction_version": 4}, ""),
        ({"calls": {"a": "1", "b": "1"}, "spec_version": 8}, ""),  # what was signed before still is
    ],
)
def test_what_is_asked_of_whom(changes: Rules, wanted: str) -> None:
    parts = ("extensions", "calls", "constants", "weights", "effects")
    recorded = {"spec_version": 7, "transaction_version": 3} | {part: {"a": "1"} for part in parts}
    problem = verdict(recorded, recorded | changes)
    assert wanted in problem and bool(wanted) == bool(problem)


def verdict(recorded: Rules, found: Rules) -> str:
    """What must be done first about rules that differ from those recorded; empty if nothing."""
    changed = sorted(
        f"{part} {name}"
        for part, entries in recorded.items()
        if isinstance(entries, dict)
        for name in entries.keys() | found[part].keys()
        if entries.get(name) != found[part].get(name)
    )
    for number in ("spec_version", "transaction_version"):
        if found[number] < recorded[number]:
            return f"{number} fell"
    if changed and found["spec_version"] == recorded["spec_version"]:
        return f"the rules changed, so spec_version has to rise: {', '.join(changed)}"
    signed = [
        name for part in SIGNED for name in recorded[part] if recorded[part][name] != found[part].get(name)
    ]
    if signed and found["transaction_version"] == recorded["transaction_version"]:
        return f"what wallets sign changed, so transaction_version has to rise too: {', '.join(signed)}"
    return ""


def rules() -> Rules:
    """Those of the runtime as it is."""
    metadata = codec(MetadataV15).decode(runtime().metadata(15)[5:])
    shape = Shapes(metadata)
    version, extensions = GristmillRuntime.version, metadata.extrinsic.signed_extensions
    benchmarks = [(subject, found) for subject in subjects().values() for found in subject.benchmarks]
    return {
        "spec_version": version.spec_version,
        "transaction_version": version.transaction_version,
        "extensions": {
            "in order": digest(
                *((each.identifier, shape(each.type_), shape(each.additional_signed)) for each in extensions)
            )
        },
        "calls": {
            f"{pallet.name}.{call.name}": digest(
                pallet.index, call.index, *(shape(f.type_) for f in call.fields)
            )
            for pallet in metadata.pallets
            if pallet.calls is not None
            for call in shape.types[pallet.calls].variants
        },
        "constants": {
            f"{pallet.name}.{constant.name}": digest(constant.value)
            for pallet in metadata.pallets
            for constant in pallet.constants
            if constant.name != "Version"
        },
        "weights": {f"{s.name}.{found.name}": digest(*weights(s, found)) for s, found in benchmarks},
        "effects": {f"{s.name}.{found.name}": digest(*effects(s, found)) for s, found in benchmarks},
    }


class Shapes:
    """What each type is made of, down to the primitives; a call inside a call is just that."""

    def __init__(self, metadata: MetadataV15) -> None:
        self.types = {t.id: t.def_ for t in metadata.types}
        self._outer = metadata.outer_enums.call

    def __call__(self, type_id: int) -> str:
        """Its shape."""
        if type_id == self._outer:
            return "call"
        found = self.types[type_id]
        match found:
            case TypeDef.Composite():
                return f"({','.join(self(field.type_) for field in found.fields)})"
            case TypeDef.Union():
                return "|".join(
                    f"{v.index}({','.join(self(f.type_) for f in v.fields)})" for v in found.variants
                )
            case TypeDef.Sequence() | TypeDef.Compact():
                return f"{type(found).__name__}<{self(found.type_)}>"
            case TypeDef.Array():
                return f"[{self(found.type_)};{found.length}]"
            case TypeDef.Tuple():
                return f"({','.join(map(self, found.types))})"
            case TypeDef.Primitive():
                return f"p{int(found.kind)}"
        raise AssertionError(found)


def weights(subject: Subject, found: Benchmark) -> list[str]:
    """What the call is charged where components are lowest and where they are highest."""
    module = ".".join(subject.file.with_suffix("").parts[-3:])
    weigh = getattr(importlib.import_module(module).Weights, found.name)
    return [str(weigh(**components)) for components in found.edges()[:2]]


def effects(subject: Subject, found: Benchmark) -> list[object]:
    """What it writes, events included, where components are lowest."""
    delta = Point(subject.task(found), found.edges()[0], verify=False).ext.overlay.delta()
    return [list(delta.top.items()), [(name, list(child.items())) for name, child in delta.children.items()]]


def digest(*parts: object) -> str:
    """Eight bytes for values whose text says all of them."""
    return blake2_256(repr(parts).encode())[:8].hex()
