"""A plan in a wasmtime instance: what the enclave's child process, tests and benchmarks run.

The module has no imports, so an instance can reach nothing but its own memory.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import wasmtime
from numpy.typing import NDArray

from executor.compiler.plan import Plan, Region
from executor.errors import OutOfFuel
from executor.wasm.engine import engine
from executor.wasm.pages import ask_for_large_pages
from primitives.wasm.call import Entry

Array = NDArray[np.float32] | NDArray[np.int32]


class Machine:
    """One instance of a plan's module, with constants and given parameters written. `fuel` None:
    unlimited."""

    def __init__(self, plan: Plan, fuel: int | None = None) -> None:
        self.plan = plan
        self.engine = engine(fuel=fuel is not None)
        self.store = wasmtime.Store(self.engine)
        self.store.set_limits(memory_size=plan.memory, instances=1, memories=1, tables=0)
        if fuel is not None:
            self.store.set_fuel(fuel)
        module = wasmtime.Module(self.engine, plan.module)
        assert not module.imports
        exports = wasmtime.Instance(self.store, module, []).exports(self.store)
        run, finish, memory = exports["run"], exports["finish"], exports["memory"]
        assert isinstance(run, wasmtime.Func) and isinstance(finish, wasmtime.Func)
        assert isinstance(memory, wasmtime.Memory)
        self._run, self._finish = Entry(self.store, run), Entry(self.store, finish)
        # The memory never grows, so one view stays valid as long as the store lives.
        self.bytes: NDArray[np.uint8] = np.ctypeslib.as_array(memory.get_buffer_ptr(self.store))
        ask_for_large_pages(self.bytes.ctypes.data, self.bytes.size)
        for region, data in plan.constants:
            self.write(region, np.frombuffer(data, dtype=region.kind.numpy))
        for parameter in plan.parameters:
            self.write(parameter.region, np.frombuffer(parameter.given, dtype="<f4"))

    def view(self, region: Region) -> Array:
        """The region itself, as an array of its shape."""
        data: Any = self.bytes[region.offset : region.offset + region.size].view(region.kind.numpy)
        array: Array = data.reshape(region.shape)
        return array

    def write(self, region: Region, values: NDArray[Any]) -> None:
        """Copy values to the start of a region (of rows: as many as there are)."""
        view = self.view(region)
        flat = np.ascontiguousarray(values, dtype=view.dtype).reshape(-1)
        view.reshape(-1)[: flat.size] = flat

    def run(self, steps: int, last_rows: int) -> None:
        """`steps` steps on the rows that lie in the regions. Raises OutOfFuel."""
        self._call(self._run, steps, last_rows)

    def finish(self) -> None:
        """Canonicalise what may leave."""
        self._call(self._finish)

    @staticmethod
    def _call(entry: Entry, *arguments: int) -> None:
        try:
            entry(*arguments)
        except wasmtime.Trap as trap:
            if trap.trap_code is wasmtime.TrapCode.OUT_OF_FUEL:
                raise OutOfFuel("the run used up its fuel") from None
            raise

    def fuel_left(self) -> int:
        """What remains of the fuel."""
        return self.store.get_fuel()

    def forward(self, inputs: Mapping[str, NDArray[np.float32]]) -> dict[str, NDArray[np.float32]]:
        """Outputs of a forward plan for arrays of rows, in as many calls as it takes."""
        rows = len(next(iter(inputs.values())))
        found: dict[str, list[NDArray[np.float32]]] = {region.name: [] for region in self.plan.outputs}
        for first in range(0, rows, self.plan.rows_per_call):
            count = min(self.plan.rows_per_call, rows - first)
            for region in self.plan.inputs:
                self.write(region, inputs[region.name][first : first + count])
            steps = -(-count // self.plan.batch)
            self.run(steps, count - (steps - 1) * self.plan.batch)
            self.finish()
            for region in self.plan.outputs:
                found[region.name].append(self.view(region)[:count].astype(np.float32))
        return {name: np.concatenate(parts) for name, parts in found.items()}

    def whole(self, inputs: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """Outputs of a plan over whole tensors (executor/compiler/whole.py)."""
        for region in self.plan.inputs:
            self.write(region, inputs[region.name])
        self.run(1, 1)
        self.finish()
        return {region.name: self.view(region).copy() for region in self.plan.outputs}
