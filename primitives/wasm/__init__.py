"""Running WebAssembly, as far as layers below the executor need it."""
