"""One run of a planned module in wasmtime, under limits: memory, fuel, no imports, no WASI.

`Sandbox` owns the store. The host writes regions, calls `run` and `finish`, reads regions; nothing else
crosses.
"""

from collections.abc import Sequence

import numpy as np
import wasmtime
from numpy.typing import NDArray

from executor.compiler.plan import Plan, Region
from executor.errors import EnclaveCrashed, MemoryLimit, OutOfFuel
from executor.wasm.engine import engine
from executor.wasm.pages import ask_for_large_pages, share_pages
from primitives.wasm.call import Entry

Array = NDArray[np.generic]
LIMITS = {"table_elements": 0, "instances": 1, "tables": 0, "memories": 1}
"""A module needs one instance and one memory, and no table: it makes no indirect calls."""


class Sandbox:
    """The plan's module, instantiated with `fuel` units of fuel and at most `memory` bytes of linear memory.

    Raises MemoryLimit when the plan or the module needs more, EnclaveCrashed when the module imports
    anything.
    """

    def __init__(self, plan: Plan, memory: int, fuel: int) -> None:
        if plan.memory > memory:
            raise MemoryLimit(f"the job needs {plan.memory} bytes of memory, over the limit of {memory}")
        self._engine = engine(fuel=True)
        self._module = wasmtime.Module(self._engine, plan.module)
        self.imports = len(self._module.imports)
        if self.imports:
            raise EnclaveCrashed("the enclave's module asks for something from outside")
        self._start(memory, fuel)

    def twin(self) -> "Sandbox":
        """Another instance of the compiled module under the same limits; nothing is shared before `share`."""
        other = Sandbox.__new__(Sandbox)
        other._engine, other._module, other.imports = self._engine, self._module, self.imports
        other._start(self._limit, self._fuel)
        return other

    def _start(self, memory: int, fuel: int) -> None:
        module = self._module
        self._store = wasmtime.Store(self._engine)
        self._store.set_limits(memory_size=memory, **LIMITS)
        self._store.set_fuel(fuel)
        self._limit, self._fuel = memory, fuel
        exports = self._instance(module).exports(self._store)
        self._entries = {
            item.name: Entry(self._store, function)
            for item in module.exports
            if isinstance(function := exports[item.name], wasmtime.Func)
        }
        exported = exports["memory"]
        assert isinstance(exported, wasmtime.Memory)
        self._memory = exported
        memory_bytes = self.whole()
        ask_for_large_pages(memory_bytes.ctypes.data, memory_bytes.size)

    def _instance(self, module: wasmtime.Module) -> wasmtime.Instance:
        try:
            return wasmtime.Instance(self._store, module, [])
        except wasmtime.WasmtimeError as error:
            if "memory" in str(error):
                raise MemoryLimit("the enclave's module needs more memory than the limit allows") from None
            raise

    @property
    def fuel_used(self) -> int:
        """Fuel used so far."""
        return self._fuel - self._store.get_fuel()

    def view(self, region: Region) -> Array:
        """The region's memory as an array of its shape; valid until the next call."""
        if region.offset < 0 or region.offset + region.size > self._memory.data_len(self._store):
            raise EnclaveCrashed(f"region {region.name!r} lies outside of the module's memory")
        pointer = memoryview(self._memory.get_buffer_ptr(self._store, region.size, region.offset))
        array: Array = np.frombuffer(pointer, dtype=region.kind.numpy)
        return array.reshape(region.shape)

    def share(self, others: "Sequence[Sandbox]", size: int) -> bool:
        """Let the first `size` bytes of all these memories be one; False, and all is as before, where the
        system does not. Views taken before are good for nothing."""
        return share_pages(*(box.whole()[:size] for box in (self, *others)))

    def refuel(self, units: int) -> None:
        """Give the store so much fuel, whatever is left."""
        self._store.set_fuel(units)

    def whole(self) -> Array:
        """All of the module's memory, as bytes."""
        size = self._memory.data_len(self._store)
        return np.frombuffer(memoryview(self._memory.get_buffer_ptr(self._store, size, 0)), dtype=np.uint8)

    def write(self, region: Region, data: bytes) -> None:
        """Fill a region with its bytes."""
        self.view(region)[...] = np.frombuffer(data, dtype=region.kind.numpy).reshape(region.shape)

    def call(self, name: str, *arguments: int) -> None:
        """Call an exported function. Raises OutOfFuel, or EnclaveCrashed for any other trap."""
        try:
            self._entries[name](*arguments)
        except wasmtime.Trap as trap:
            if trap.trap_code == wasmtime.TrapCode.OUT_OF_FUEL:
                raise OutOfFuel(f"the job used up its {self._fuel} units of fuel") from None
            raise EnclaveCrashed(f"the enclave's module trapped: {trap.trap_code}") from None
