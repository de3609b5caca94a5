"""Differential privacy in the enclave: the integer grid, exact noise, and what a run costs.

`grid` turns a clip and a noise multiplier into integers, `gaussian` samples the discrete Gaussian exactly,
`noise` is a job's stream of it, `accounting` adds ρ up and says what it means in ε. The gradients of single
rows come from `executor.compiler.private`.
"""
