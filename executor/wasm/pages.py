"""Large pages for a module's memory, where the system has them.

A training step goes through far more memory than the processor remembers page addresses of: with pages of
2 MiB instead of 4 KiB a step of a transformer takes 1–2 % less. No bit of what a module computes depends on
it.
"""

import ctypes
import mmap
import sys


def ask_for_large_pages(address: int, size: int) -> bool:
    """Ask Linux to back `size` bytes from a page's `address` on by large pages (madvise(2)). False where it
    does not."""
    if sys.platform != "linux" or not size:
        return False
    madvise = ctypes.CDLL(None, use_errno=True).madvise
    madvise.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
    return bool(madvise(address, size, mmap.MADV_HUGEPAGE) == 0)
