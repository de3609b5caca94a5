"""Elementwise expressions evaluated for one group of vectors inside a kernel."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from executor.compiler.ir import Node
from executor.compiler.kernels import functions
from executor.compiler.kernels.abreast import Abreast
from executor.compiler.kernels.nest import Access, Nest
from executor.compiler.op import MOVEMENT, Op
from executor.errors import CompilerError
from executor.wasm.code import Code

SIMPLE = {
    Op.NEG: "f32x4.neg",
    Op.ABS: "f32x4.abs",
    Op.SQRT: "f32x4.sqrt",
    Op.ADD: "f32x4.add",
    Op.SUB: "f32x4.sub",
    Op.MUL: "f32x4.mul",
    Op.DIV: "f32x4.div",
    Op.MAX: "f32x4.pmax",
    Op.MIN: "f32x4.pmin",
}
FUNCTIONS: Mapping[Op, Callable[[functions.Writer], None]] = {
    Op.EXP: functions.exp,
    Op.LOG: functions.log,
    Op.TANH: functions.tanh,
    Op.SIGMOID: functions.sigmoid,
    Op.ERF: functions.erf,
}
COMPARISONS = {Op.WHERE_GT: "f32x4.gt", Op.WHERE_GE: "f32x4.ge", Op.WHERE_EQ: "f32x4.eq"}
VECTOR = 4
ABREAST = 4
"""Vectors on which elementary functions are written together."""
PARTIAL_STORES = {
    1: (("v128.store32_lane", 0),),
    2: (("v128.store64_lane", 0),),
    3: (("v128.store64_lane", 0), ("v128.store32_lane", 2)),
}


@dataclass(frozen=True)
class Unit:
    """One vector of the group: a fixed shift of the nest's index, a byte offset inside, and how many lanes
    count."""

    shift: tuple[int, ...]
    byte: int = 0
    live: int = 4


@dataclass(frozen=True)
class Store:
    """Write the value of `root` to `access`."""

    root: Node
    access: Access


@dataclass(frozen=True)
class Expression:
    """Values to compute and where their leaves come from: memory, or an immediate number."""

    stores: tuple[Store, ...]
    leaves: Mapping[Node, Access | float]

    @property
    def accesses(self) -> list[Access]:
        """Every memory access, loads first."""
        loads = [leaf for leaf in self.leaves.values() if isinstance(leaf, Access)]
        return loads + [store.access for store in self.stores]

    def inner(self) -> list[Node]:
        """Nodes that are computed, inputs before users."""
        seen: dict[Node, None] = {}
        stack = [(store.root, False) for store in reversed(self.stores)]
        while stack:
            node, ready = stack.pop()
            if node in self.leaves or node in seen:
                continue
            if ready:
                seen[node] = None
            else:
                stack.append((node, True))
                stack += [(item, False) for item in reversed(node.inputs)]
        return list(seen)


class Evaluator:
    """Writes the code of an expression, unit by unit; shared values are kept in locals until `reset`."""

    def __init__(self, code: Code, nest: Nest, expression: Expression) -> None:
        self.code, self.nest, self.expression = code, nest, expression
        self.order = expression.inner()
        self.uses = Counter(item for node in self.order for item in node.inputs)
        self.uses.update(store.root for store in expression.stores)
        self.splats: dict[tuple[int, ...], int] = {}
        self.again: set[tuple[int, ...]] = set()
        """Places (offset, strides) from which several units load one vector: values of a row, along it."""

    def write(self, units: Sequence[Unit], given: Mapping[Unit, Mapping[Node, int]] | None = None) -> None:
        """Evaluate and store every unit. `given` holds leaves that are already in locals: a kernel's
        accumulators."""
        self._begin(units)
        if any(node.op in FUNCTIONS for node in self.order):
            for first in range(0, len(units), ABREAST):
                self._write_abreast(units[first : first + ABREAST], given)
            units = ()
        for unit in units:
            known = dict(given[unit]) if given else {}
            held = dict(known)
            for store in self.expression.stores:
                self._store(store, unit, held)
            self.code.release(*(local for node, local in held.items() if node not in known))
        self.code.release(*self.splats.values())
        self.splats.clear()

    def fold(self, cells: Sequence[tuple[Unit, int]], operator: str = "") -> None:
        """Combine the value of a unit with what its local holds, or set the local if there is no operator;
        for one (unit, local) after the other."""
        (store,) = self.expression.stores
        self._begin([unit for unit, _ in cells])
        for unit, total in cells:
            held: dict[Node, int] = {}
            if operator:
                self.code.get(total)
            self._push(store.root, unit, held)
            if operator:
                self.code.op(operator)
            self.code.set(total)
            self.code.release(*held.values())
        self.code.release(*self.splats.values())
        self.splats.clear()

    def _begin(self, units: Sequence[Unit]) -> None:
        """Find what they load several times."""
        leaves = [leaf for leaf in self.expression.leaves.values() if isinstance(leaf, Access)]
        places = Counter(
            (leaf.shifted(unit.shift) + unit.byte, *leaf.strides)
            for leaf in leaves
            if not leaf.splat
            for unit in units
        )
        self.again = {place for place, count in places.items() if count > 1}

    def _write_abreast(self, units: Sequence[Unit], given: Mapping[Unit, Mapping[Node, int]] | None) -> None:
        """The same, node by node instead of unit by unit."""
        code = self.code
        known: list[dict[Node, int]] = [dict(given[unit]) if given else {} for unit in units]
        held = [dict(item) for item in known]
        for node in self.order:
            if node.op in FUNCTIONS:
                (source,) = node.inputs
                starts = []
                for unit, values in zip(units, held, strict=True):
                    self._push(source, unit, values)
                    starts.append(code.local())
                    code.set(starts[-1])
                both = Abreast(code, starts)
                FUNCTIONS[node.op](both)
                results = both.results()
                code.release(*starts)
            else:
                results = []
                for unit, values in zip(units, held, strict=True):
                    self._compute(node, unit, values)
                    results.append(code.local())
                    code.set(results[-1])
            for values, local in zip(held, results, strict=True):
                values[node] = local
        for unit, values, kept in zip(units, held, known, strict=True):
            for store in self.expression.stores:
                self._store(store, unit, values)
            code.release(*(local for node, local in values.items() if node not in kept))

    def _store(self, store: Store, unit: Unit, held: dict[Node, int]) -> None:
        code, offset = self.code, store.access.shifted(unit.shift) + unit.byte
        if unit.live == VECTOR:
            self.nest.push(store.access)
            self._push(store.root, unit, held)
            code.memory("v128.store", offset)
            return
        value = code.local()
        self._push(store.root, unit, held)
        code.set(value)
        for name, lane in PARTIAL_STORES[unit.live]:
            self.nest.push(store.access)
            code.get(value)
            code.lane_memory(name, offset + 4 * lane, lane if name == "v128.store32_lane" else lane // 2)
        code.release(value)

    def _push(self, node: Node, unit: Unit, held: dict[Node, int]) -> None:
        """Push the value of `node`; keep it in a local if it is needed again."""
        if node in held:
            self.code.get(held[node])
            return
        if node in self.expression.leaves:
            if self._load(self.expression.leaves[node], unit):
                return
        else:
            self._compute(node, unit, held)
        if self.uses[node] > 1:
            held[node] = self.code.local()
            self.code.tee(held[node])

    def _load(self, leaf: Access | float, unit: Unit) -> bool:
        """Push a leaf. True if it is cheap to push again."""
        code = self.code
        if not isinstance(leaf, Access):
            code.splat(leaf)
            return True
        offset = leaf.shifted(unit.shift) + (0 if leaf.splat else unit.byte)
        key = (offset, *leaf.strides)
        if key in self.splats:
            code.get(self.splats[key])
            return True
        code.memory("v128.load32_splat" if leaf.splat else "v128.load", self.nest.address(leaf, offset))
        if not leaf.splat and key not in self.again:
            return False
        self.splats[key] = code.local()
        code.tee(self.splats[key])
        return True

    def _compute(self, node: Node, unit: Unit, held: dict[Node, int]) -> None:
        code = self.code
        if node.op in COMPARISONS:
            a, b, then, other = node.inputs
            for item in (then, other, a, b):
                self._push(item, unit, held)
            code.op(COMPARISONS[node.op])
            code.op("v128.bitselect")
            return
        for item in node.inputs:
            self._push(item, unit, held)
        if node.op in SIMPLE:
            code.op(SIMPLE[node.op])
        elif node.op in FUNCTIONS:
            FUNCTIONS[node.op](code)
        elif node.op is Op.RELU:
            code.splat(0.0)
            code.op("f32x4.pmax")
        elif node.op not in MOVEMENT:
            raise CompilerError(f"{node.op} is not elementwise")
