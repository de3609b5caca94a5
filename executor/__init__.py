"""The enclave: ONNX in, wasm out. Knows no chain."""
