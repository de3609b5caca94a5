"""The arrows of ARCHITECTURE.md point down only: each package imports itself and what lies below it."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

BELOW: dict[str, tuple[str, ...]] = {
    "primitives": (),
    "frame": ("primitives",),
    "pallets": ("frame", "primitives"),
    "runtime": ("pallets", "frame", "primitives"),
    "executor": ("primitives",),
    "chain_spec": ("runtime", "pallets", "frame", "primitives"),
    "node": ("runtime", "chain_spec", "executor", "frame", "primitives"),
    "client": ("primitives", "executor"),
    "cli": ("node", "client", "chain_spec", "runtime", "executor", "frame", "primitives"),
}
"""Package → the packages it may import besides itself."""

DETERMINISTIC = ("primitives", "frame", "pallets", "runtime")
WORLD = {"time", "random", "datetime", "locale", "uuid", "asyncio", "socket", "subprocess"}
"""Modules through which the world leaks in; a runtime must give the same answer everywhere and always."""


def modules(package: str) -> Iterator[Path]:
    """Every Python file of a package."""
    return (ROOT / package).rglob("*.py")


def imports(file: Path) -> Iterator[tuple[int, str]]:
    """Line and full dotted name of each absolute import, those inside functions included."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, name.name) for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.lineno, node.module


@pytest.mark.parametrize("package", BELOW)
def test_a_package_imports_only_itself_and_what_lies_below(package: str) -> None:
    allowed = {package, *BELOW[package]}
    upward = [
        f"{file.relative_to(ROOT)}:{line} imports {name}"
        for file in modules(package)
        for line, name in imports(file)
        if name.split(".")[0] in BELOW and name.split(".")[0] not in allowed
    ]
    assert not upward, "\n".join(upward)


def test_every_package_has_code() -> None:
    empty = [package for package in BELOW if not list(modules(package))]
    assert not empty, f"no Python files in {empty}: the layer test would check nothing"


def test_a_pallet_never_imports_another_pallet() -> None:
    crossing = [
        f"{file.relative_to(ROOT)}:{line} imports {name}"
        for file in modules("pallets")
        for line, name in imports(file)
        if name.startswith("pallets.") and name.split(".")[1] != file.relative_to(ROOT / "pallets").parts[0]
    ]
    assert not crossing, "\n".join(crossing)


@pytest.mark.parametrize("package", DETERMINISTIC)
def test_nothing_below_the_node_reads_the_world(package: str) -> None:
    reading = [
        f"{file.relative_to(ROOT)}:{line} imports {name}"
        for file in modules(package)
        if "benchmarking" not in file.parts  # the stopwatch is not part of any runtime
        for line, name in imports(file)
        if name.split(".")[0] in WORLD
    ]
    assert not reading, "\n".join(reading)


def test_the_layers_are_the_installed_packages() -> None:
    folders = {path.parent.name for path in ROOT.glob("*/__init__.py")}
    assert folders - {"tests", "benchmarks"} == set(BELOW)
