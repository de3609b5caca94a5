"""The wasmtime engine in which plans run: its settings are part of what makes a run reproducible and bounded.

`relaxed_simd_deterministic` makes `f32x4.relaxed_madd` one fused operation on every host. Optimisation level
"none" keeps the emitter's order of instructions; "speed" moves fused multiply-adds to the end of blocks and
spills.
"""

from wasmtime import Config, Engine


def engine(fuel: bool = True, reorder: bool = False) -> Engine:
    """An engine for emitted modules. Without `fuel` only in measurements and for modules that no buyer
    shaped; `reorder` lets Cranelift move instructions, good for short scalar code.
    """
    config = Config()
    config.consume_fuel = fuel
    config.wasm_simd = True
    config.wasm_relaxed_simd = True
    config.wasm_relaxed_simd_deterministic = True
    config.wasm_threads = True  # for atomic loads and stores; no memory is a shared one
    config.wasm_memory64 = False
    config.wasm_multi_memory = False
    config.cranelift_opt_level = "speed" if reorder else "none"
    config.cranelift_nan_canonicalization = False
    config.parallel_compilation = False
    return Engine(config)
