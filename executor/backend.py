"""The compiler as an ONNX backend (`onnx.backend.base.Backend`): any graph over whole tensors, computed in
wasm.

A module is made for each run, for the shapes at hand. A graph input on which a shape depends (a shape, axes,
pads, a count, a condition) is bound as a constant for that run; every other value is data and is computed
inside the module. For tests and one's own models: it runs in the caller's process, unlike `executor.enclave`.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto
from onnx.backend.base import Backend, BackendRep

from executor.compiler.machine import Machine
from executor.compiler.types import dtype_of
from executor.compiler.whole import compile_whole
from executor.errors import DynamicShape, ModelError, ShapeMismatch, UnsupportedType
from executor.graph.parse import parse

Array = NDArray[Any]


class Prepared(BackendRep):
    """A checked model."""

    def __init__(self, model: bytes) -> None:
        super().__init__()
        self.model = model
        self.graph = parse(model)

    def run(self, inputs: Sequence[Array], **_: object) -> tuple[Array, ...]:
        """The graph's outputs. Raises ModelError."""
        ports = self.graph.inputs
        if len(inputs) > len(ports):
            raise ShapeMismatch(f"{len(inputs)} inputs for a graph that has {len(ports)}")
        given: dict[str, Array] = {}
        for port, value in zip(ports, inputs, strict=False):
            array = np.asarray(value)
            if dtype_of(array) is not port.dtype:
                raise UnsupportedType(f"the input {port.name!r} is given as {array.dtype}")
            given[port.name] = array
        return self._run(given)

    def _run(self, given: dict[str, Array]) -> tuple[Array, ...]:
        shapes = {name: array.shape for name, array in given.items()}
        known: dict[str, Array] = {}
        while True:
            try:
                plan = compile_whole(self.model, shapes, known)
                break
            except DynamicShape as error:
                missing = error.inputs - set(known)
                if not missing:
                    raise
                known |= {name: given[name] for name in missing}
        found = Machine(plan).whole(given)
        return tuple(found[name] for name in self.graph.outputs)


class EnclaveBackend(Backend):
    """Entry points as the ONNX project names them."""

    @classmethod
    def prepare(cls, model: ModelProto, device: str = "CPU", **_: object) -> Prepared:
        """Check a model. Raises ModelError."""
        return Prepared(model.SerializeToString())

    @classmethod
    def run_model(cls, model: ModelProto, inputs: Sequence[Array], device: str = "CPU", **_: object) -> Any:
        """Prepare and run."""
        return cls.prepare(model, device).run(inputs)

    @classmethod
    def supports_device(cls, device: str) -> bool:
        """The processor only."""
        return device == "CPU"


__all__ = ["EnclaveBackend", "ModelError", "Prepared"]
