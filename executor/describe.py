"""A plan for people: what the enclave's process tells about it before it has seen a row."""

from collections import Counter
from collections.abc import Iterable

import wasmtime

from executor.compiler.plan import Plan, Region
from executor.graph.parse import parse
from executor.wasm.engine import engine
from executor.wire import Area, Description, Export, KernelCost


def described(model: bytes, plan: Plan) -> Description:
    """Operators, memory map, kernels, exports."""
    operators = Counter(step.op for step in parse(model).steps)
    return Description(
        operators=sorted(operators.items()),
        areas=sorted(_areas(plan), key=lambda area: area.offset),
        kernels=[KernelCost(name=name, fuel=fuel, flops=flops) for name, fuel, flops in plan.kernels],
        exports=exports_of(plan.module),
        fuel_per_step=plan.fuel_per_step,
        fuel_per_call=plan.fuel_per_call,
        fuel_of_finish=plan.fuel_of_finish,
        rows_per_call=plan.rows_per_call,
        module=plan.module,
    )


def exports_of(module: bytes) -> list[Export]:
    """The module's exports as wasmtime reads them."""
    found = wasmtime.Module(engine(), module).exports
    return [Export(name=str(item.name), type=_type(item.type)) for item in found]


def _type(kind: object) -> str:
    if isinstance(kind, wasmtime.MemoryType):
        return f"memory of {kind.limits.min} pages, at most {kind.limits.max}"
    if isinstance(kind, wasmtime.FuncType):
        return f"function ({', '.join(map(str, kind.params))}) → ({', '.join(map(str, kind.results))})"
    return type(kind).__name__


def _areas(plan: Plan) -> Iterable[Area]:
    """Every region that lives for the whole run; scratch memory lies behind them."""
    roles: list[tuple[str, Region | None]] = [
        *(("input", region) for region in plan.inputs),
        *(("target", target.region) for target in plan.targets),
        ("losses", plan.losses),
        ("numbers of the step", plan.numbers),
        ("noise", plan.noise),
        ("shards", plan.slots),
        ("progress", plan.progress),
        *(("output", region) for region in plan.outputs),
        *(("constant", region) for region, _ in plan.constants),
    ]
    for parameter in plan.parameters:
        roles.append(("trained", parameter.region))
        roles += [("optimizer", state.region) for state in parameter.states]
    for role, region in roles:
        if region is not None:
            yield Area(
                role=role,
                name=region.name.strip(),
                kind=region.kind.value,
                shape=list(region.shape),
                offset=region.offset,
                size=region.size,
            )
