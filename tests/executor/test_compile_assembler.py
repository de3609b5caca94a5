"""The assembler's fuel is wasmtime's, and LEB128 is right."""

import wasmtime
from hypothesis import given, settings
from hypothesis import strategies as st

from executor.wasm.code import Code
from executor.wasm.encoding import module, signed, unsigned
from executor.wasm.engine import engine

FUEL = 10**9
Tree = list["int | tuple[int, Tree]"]

trees: st.SearchStrategy[Tree] = st.recursive(
    st.lists(st.integers(0, 3), max_size=3),
    lambda inner: st.lists(st.one_of(st.integers(0, 3), st.tuples(st.integers(1, 6), inner)), max_size=3),
    max_leaves=12,
)


def write(code: Code, tree: Tree) -> None:
    """Numbers are groups of instructions, pairs are loops."""
    for item in tree:
        if isinstance(item, tuple):
            with code.loop(item[0]):
                write(code, item[1])
        else:
            for index in range(item):
                code.i32(16 * index)
                code.splat(1.5)
                code.memory("v128.store", 64)


@settings(max_examples=60, deadline=None)
@given(trees)
def test_fuel_is_known_while_writing(tree: Tree) -> None:
    inner, outer = Code(), Code()
    write(inner, tree)
    with outer.loop(3):
        outer.call(0, inner.fuel)
    data = module([inner.body(), outer.body()], 1, [("run", 1)])
    machine = engine()
    store = wasmtime.Store(machine)
    store.set_fuel(FUEL)
    run = wasmtime.Instance(store, wasmtime.Module(machine, data), []).exports(store)["run"]
    assert isinstance(run, wasmtime.Func)
    run(store)
    assert FUEL - store.get_fuel() == outer.fuel


@given(st.integers(0, 1 << 64))
def test_unsigned_leb128(value: int) -> None:
    data = unsigned(value)
    assert sum((byte & 0x7F) << 7 * index for index, byte in enumerate(data)) == value
    assert all(byte & 0x80 for byte in data[:-1]) and not data[-1] & 0x80


@given(st.integers(-(1 << 63), (1 << 63) - 1))
def test_signed_leb128(value: int) -> None:
    data = signed(value)
    total = sum((byte & 0x7F) << 7 * index for index, byte in enumerate(data))
    assert total - ((data[-1] >> 6 & 1) << 7 * len(data)) == value
