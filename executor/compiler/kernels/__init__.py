"""Kernels: each writes one wasm function for one step of the schedule, specialised to shapes and addresses.

A batched array lies in memory as [blocks][features in C order][8 lanes]: eight rows of the batch side by
side, as two v128 vectors. An unbatched array is plain row-major. All addresses are constants plus loop
pointers that start at zero.
"""
