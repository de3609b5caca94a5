"""Large pages are asked for, and nothing else changes."""

import mmap
import sys

import numpy as np
import pytest

from executor.wasm.pages import ask_for_large_pages

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="madvise(2) with MADV_HUGEPAGE is Linux's")


def flags_at(address: int) -> list[str]:
    """The kernel's flags of the mapping that holds an address (proc(5), smaps)."""
    inside = False
    with open("/proc/self/smaps", encoding="ascii", errors="replace") as lines:
        for line in lines:
            first, *rest = line.split()
            if "-" in first and not first.endswith(":"):
                low, high = (int(part, 16) for part in first.split("-"))
                inside = low <= address < high
            elif inside and first == "VmFlags:":
                return rest
    return []


@LINUX
def test_a_mapping_is_marked_and_keeps_its_bytes() -> None:
    size = 8 << 20
    with mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS) as memory:
        held = np.frombuffer(memory, dtype=np.uint8)
        held[::4099] = 7
        if not ask_for_large_pages(held.ctypes.data, size):
            pytest.skip("this kernel has no transparent huge pages")
        assert "hg" in flags_at(held.ctypes.data)
        assert set(np.flatnonzero(held) % 4099) == {0} and held[4099] == 7
        del held


def test_a_refusal_is_an_answer() -> None:
    assert not ask_for_large_pages(0, 0)
    assert not ask_for_large_pages(1, 4096), "an address that no page begins at"
