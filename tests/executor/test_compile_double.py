"""Elementary functions on float64 inside the module: largest relative errors against Python's libm, and their
ends."""

import math
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from executor.compiler.kernels.double import NAMES, written
from executor.wasm.code import Code
from executor.wasm.encoding import I32, module
from executor.wasm.engine import engine

F64s = NDArray[np.float64]
WORST = 4e-15
"""No function was found to be off by more than 18 units in the last place."""
RANGES: dict[str, tuple[float, float]] = {
    "exp": (-700, 700), "log": (1e-300, 1e300), "sin": (-1e5, 1e5), "cos": (-1e5, 1e5), "tan": (-1e5, 1e5),
    "asin": (-1, 1), "acos": (-1, 0.99), "atan": (-1e6, 1e6), "sinh": (-700, 700), "cosh": (-700, 700),
    "tanh": (-20, 20), "asinh": (-1e6, 1e6), "acosh": (1.01, 1e6), "atanh": (-0.999, 0.999), "erf": (-6, 6),
}  # fmt: skip


def runner(name: str) -> Callable[[F64s, F64s], F64s]:
    """The function over arrays, through a module that loops over its memory."""
    import wasmtime

    body, fuel = written(name)
    size = 4096
    code = Code()
    at = code.local(I32)
    with code.loop(size):
        code.get(at)
        code.get(at)
        code.memory("f64.load", 64)
        if name == "pow":
            code.get(at)
            code.memory("f64.load", 64 + 8 * size)
        code.call(1, fuel)
        code.memory("f64.store", 64 + 16 * size)
        code.get(at)
        code.i32(8)
        code.op("i32.add")
        code.set(at)
    store = wasmtime.Store(engine(fuel=True))
    store.set_fuel(code.fuel)
    binary = module([code.body(), body], 3, [("run", 0)])
    exports = wasmtime.Instance(store, wasmtime.Module(store.engine, binary), []).exports(store)
    memory, run = exports["memory"], exports["run"]
    assert isinstance(memory, wasmtime.Memory) and isinstance(run, wasmtime.Func)
    view = np.ctypeslib.as_array(memory.get_buffer_ptr(store))[64 : 64 + 24 * size].view(np.float64)

    def call(x: F64s, y: F64s) -> F64s:
        view[: len(x)], view[size : size + len(y)] = x, y
        store.set_fuel(code.fuel)
        run(store)
        assert store.get_fuel() == 0, "the fuel of a shared function is counted exactly"
        return view[2 * size : 2 * size + len(x)].copy()

    return call


@pytest.mark.parametrize("name", RANGES)
def test_close_to_libm(name: str) -> None:
    low, high = RANGES[name]
    rng = np.random.default_rng(1)
    x = rng.uniform(low, high, 2048)
    if name == "log":
        x = 10.0 ** rng.uniform(-300, 300, 2048)
    small = rng.uniform(-1, 1, 2048) * 10.0 ** rng.uniform(-8, 0, 2048)
    x = np.concatenate([x, np.clip(small, low, high)])
    found = runner(name)(x, x)
    wanted = np.array([getattr(math, name)(item) for item in x])
    error = np.abs(found - wanted) / np.maximum(np.abs(wanted), 1e-300)
    if name in ("sin", "cos", "tan"):
        # Near a zero crossing the reduction's rounding counts, absolutely.
        error = np.minimum(error, np.abs(found - wanted) * 10)
    assert error.max() < WORST, (name, error.max(), x[error.argmax()])


def test_powers() -> None:
    rng = np.random.default_rng(2)
    x, y = rng.uniform(0.01, 30, 4096), rng.uniform(-30, 30, 4096)
    x[:1000] *= -1
    y[:1000] = np.round(y[:1000])
    found, wanted = runner("pow")(x, y), np.power(x, y)
    assert np.max(np.abs(found - wanted) / np.abs(wanted)) < 3e-14


def test_ends() -> None:
    inf, nan = math.inf, math.nan
    x = np.array([inf, -inf, nan, 0.0, -0.0])
    expected = {
        "exp": [inf, 0, nan, 1, 1], "log": [inf, nan, nan, -inf, -inf], "tanh": [1, -1, nan, 0, -0.0],
        "sinh": [inf, -inf, nan, 0, -0.0], "cosh": [inf, inf, nan, 1, 1], "erf": [1, -1, nan, 0, -0.0],
        "atan": [math.pi / 2, -math.pi / 2, nan, 0, -0.0], "asinh": [inf, -inf, nan, 0, -0.0],
    }  # fmt: skip
    for name, wanted in expected.items():
        np.testing.assert_allclose(runner(name)(x, x), wanted, rtol=1e-15, err_msg=name)
    ones = np.array([1.0, -1.0])
    np.testing.assert_allclose(runner("asin")(ones, ones), [math.pi / 2, -math.pi / 2])
    np.testing.assert_allclose(runner("acos")(ones, ones), [0, math.pi])
    base = np.array([0.0, 0.0, 2.0, -2.0, -2.0, nan, nan, -8.0])
    power = np.array([2.0, -1.0, 0.0, 3.0, 2.0, 0.0, 1.0, 1 / 3])
    with np.errstate(all="ignore"):
        np.testing.assert_allclose(runner("pow")(base, power), np.power(base, power), rtol=1e-15)


def test_every_function_is_tested() -> None:
    assert set(NAMES) == {*RANGES, "pow"}
