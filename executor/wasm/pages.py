"""What a module's memory is made of, where the system can be told: large pages, pages that are in several
memories at once. No bit of what a module computes depends on it.
"""

import ctypes
import mmap
import sys
from contextlib import suppress

import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.generic]

MREMAP_MAYMOVE, MREMAP_FIXED = 1, 2
"""linux/mman.h"""


def ask_for_large_pages(address: int, size: int) -> bool:
    """Ask Linux to back `size` bytes from a page's `address` on by large pages (madvise(2)): a training step
    goes through far more memory than the processor remembers page addresses of, and with pages of 2 MiB
    instead of 4 KiB a step of a transformer takes 1–2 % less. False where it does not."""
    if sys.platform != "linux" or not size:
        return False
    madvise = _function("madvise", ctypes.c_int, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
    return bool(madvise(address, size, mmap.MADV_HUGEPAGE) == 0)


_reserved: list[mmap.mmap] = []


def reserve_shared(size: int) -> None:
    """Shared pages for one later `share_pages` of at most so many bytes: RLIMIT_DATA does not count such
    pages, so a confined process makes none (`executor.seccomp`). They take no memory until they are used."""
    if sys.platform == "linux":
        with suppress(OSError, ValueError):  # then nothing will be shared
            _reserved[:] = [mmap.mmap(-1, size)]


def share_pages(first: Bytes, *others: Bytes) -> bool:
    """Put the same pages, with what `first` holds, in the places of all, which are as long: from now on they
    are one memory. Each is whole pages of anonymous memory that nothing else maps. False, and nothing has
    changed, where the system does not do it. Raises MemoryError if it fails half way: then all are lost.

    Linux only: mremap(2) with an old size of zero maps shared pages a second time, without a file, which a
    confined process may not have.
    """
    pages = _shared(first.size)
    if pages is None or not _doubles(pages):
        return False
    content = first.copy()
    for place in (first, *others):
        if not _doubled(_address(pages), place.ctypes.data, first.size):
            raise MemoryError("pages cannot be shared")
    first[:] = content
    return True


def _shared(size: int) -> mmap.mmap | None:
    """New shared pages, all zeros: those that were reserved, once, else of the system."""
    if sys.platform != "linux":
        return None
    if _reserved and len(_reserved[0]) >= size:
        return _reserved.pop()
    try:
        return mmap.mmap(-1, size)
    except OSError:
        return None


def _doubles(pages: mmap.mmap) -> bool:
    """Whether the system maps shared pages twice, tried on one of them."""
    other = mmap.mmap(-1, mmap.PAGESIZE, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    if not _doubled(_address(pages), _address(other), mmap.PAGESIZE):
        return False
    other[0] = 1
    found, pages[0] = pages[0] == 1, 0
    return found


def _address(pages: mmap.mmap) -> int:
    return ctypes.addressof(ctypes.c_char.from_buffer(pages))


def _doubled(address: int, second: int, size: int) -> bool:
    """The shared pages at `address` in a second place too."""
    kinds = ctypes.c_void_p, ctypes.c_size_t, ctypes.c_size_t, ctypes.c_int, ctypes.c_void_p
    function = _function("mremap", ctypes.c_void_p, *kinds)
    return bool(function(address, 0, size, MREMAP_MAYMOVE | MREMAP_FIXED, second) == second)


def _function(name: str, result: type, *kinds: type) -> "ctypes._NamedFuncPointer":
    function = getattr(ctypes.CDLL(None, use_errno=True), name)
    function.restype, function.argtypes = result, kinds
    return function  # type: ignore[no-any-return]
