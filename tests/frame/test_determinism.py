"""The same declarations give the same bytes, whatever the hash seed, and nobody iterates over a set."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]

PROGRAM = """
from frame.call import RuntimeCall
from frame.testing import Chain
from primitives.hashing import blake2_256
from runtime import GristmillRuntime
from tests.frame.template_runtime import TemplateRuntime
for R in (TemplateRuntime, GristmillRuntime):
    chain = Chain(R())
    chain.block()
    chain.block()
    print(blake2_256(R().metadata(14)).hex(), blake2_256(R().metadata(15)).hex())
    print(chain.genesis_hash.hex(), chain.header.hash.hex(), R.version.encode().hex())
"""


def test_hash_seeds_do_not_show() -> None:
    outputs = [
        subprocess.run(
            [sys.executable, "-c", PROGRAM],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2", "77")
    ]
    assert outputs[0] == outputs[1] == outputs[2]
    assert len(outputs[0].split()) == 10


FORBIDDEN_MODULES = {"time", "random", "secrets", "locale", "datetime", "threading", "socket", "uuid"}
MEASURING = {"frame/benchmarking"}  # measures time; no runtime imports it


def sources() -> list[Path]:
    """The files whose behaviour is part of the chain."""
    found = [p for part in ("frame", "pallets", "runtime") for p in sorted((ROOT / part).rglob("*.py"))]
    return [p for p in found if not any(str(p.relative_to(ROOT)).startswith(part) for part in MEASURING)]


def test_no_clock_no_chance_no_set_order() -> None:
    for path in sources():
        tree = ast.parse(path.read_text())
        for node in ast.walk(tree):
            where = f"{path.relative_to(ROOT)}:{getattr(node, 'lineno', 0)}"
            if isinstance(node, ast.Import):
                assert not {alias.name.split(".")[0] for alias in node.names} & FORBIDDEN_MODULES, where
            if isinstance(node, ast.ImportFrom):
                assert (node.module or "").split(".")[0] not in FORBIDDEN_MODULES, where
            if isinstance(node, ast.For | ast.comprehension):
                assert not isinstance(node.iter, ast.Set | ast.SetComp), where
                called = node.iter.func if isinstance(node.iter, ast.Call) else None
                assert not (isinstance(called, ast.Name) and called.id in {"set", "frozenset"}), where
            if isinstance(node, ast.Constant):
                assert not isinstance(node.value, float), where
