"""From a checked graph to one wasm module: tensor IR, gradients, schedule, kernels, memory plan."""
