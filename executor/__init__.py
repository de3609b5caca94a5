"""ONNX in, wasm out: checks, gradients, lowering, the enclave that trains, and receipts. Knows no chain."""
