"""What a module's memory is made of, where the system can be told: large pages, pages that are in several
memories at once. No bit of what a module computes depends on it.
"""

import ctypes
import mmap
import sys

import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.generic]

MREMAP_MAYMOVE, MREMAP_FIXED = 1, 2
"""linux/mman.h"""
MAP_FIXED = 0x10


def ask_for_large_pages(address: int, size: int) -> bool:
    """Ask Linux to back `size` bytes from a page's `address` on by large pages (madvise(2)): a training step
    goes through far more memory than the processor remembers page addresses of, and with pages of 2 MiB
    instead of 4 KiB a step of a transformer takes 1–2 % less. False where it does not."""
    if sys.platform != "linux" or not size:
        return False
    madvise = _function("madvise", ctypes.c_int, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
    return bool(madvise(address, size, mmap.MADV_HUGEPAGE) == 0)


def share_pages(first: Bytes, *others: Bytes) -> bool:
    """Put the pages of `first` in the places of the others, which are as long: from now on all are the same
    memory. Each is whole pages of anonymous memory that nothing else maps. False, and nothing has changed,
    where the system does not do it. Raises MemoryError if it fails half way: then the others are lost.

    Linux only: mremap(2) with an old size of zero maps shared pages a second time, without a file, which a
    confined process may not have.
    """
    if sys.platform != "linux" or not _doubles():
        return False
    content = first.copy()
    if not _shared_at(first.ctypes.data, first.size):
        return False
    first[:] = content
    for other in others:
        if not _doubled(first.ctypes.data, other.ctypes.data, first.size):
            raise MemoryError("pages cannot be shared")
    return True


def _doubles() -> bool:
    """Whether the system maps shared pages twice, tried on a page."""
    one, two = (mmap.mmap(-1, mmap.PAGESIZE) for _ in range(2))
    first, second = (np.frombuffer(page, dtype=np.uint8) for page in (one, two))
    if not _doubled(first.ctypes.data, second.ctypes.data, mmap.PAGESIZE):
        return False
    first[0] = 1
    return bool(second[0] == 1)


def _shared_at(address: int, size: int) -> bool:
    """New shared pages in the place of what lies there."""
    kinds = ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long
    function = _function("mmap", ctypes.c_void_p, *kinds)
    access, flags = mmap.PROT_READ | mmap.PROT_WRITE, mmap.MAP_SHARED | mmap.MAP_ANONYMOUS | MAP_FIXED
    return bool(function(address, size, access, flags, -1, 0) == address)


def _doubled(address: int, second: int, size: int) -> bool:
    """The shared pages at `address` in a second place too."""
    kinds = ctypes.c_void_p, ctypes.c_size_t, ctypes.c_size_t, ctypes.c_int, ctypes.c_void_p
    function = _function("mremap", ctypes.c_void_p, *kinds)
    return bool(function(address, 0, size, MREMAP_MAYMOVE | MREMAP_FIXED, second) == second)


def _function(name: str, result: type, *kinds: type) -> "ctypes._NamedFuncPointer":
    function = getattr(ctypes.CDLL(None, use_errno=True), name)
    function.restype, function.argtypes = result, kinds
    return function  # type: ignore[no-any-return]
