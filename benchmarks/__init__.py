"""Speed, as ratios against real peers in one run.

Imported first of all: NumPy's BLAS reads its number of threads when it is loaded, and a peer with two threads
on one core would be slower than it is.
"""

import os

for variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(variable, "1")
