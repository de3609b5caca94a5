"""System calls that the enclave's process keeps: a seccomp filter, built here (Linux, x86-64 and AArch64).

A list of what is allowed; everything else is refused, calls that are not invented yet too. The table below
has a row for each call and says what stops without it. They were found by tracing jobs of every kind
(`tests/executor/test_system_calls.py` does so again): what is on the list is used, or is what another C
library, processor or Python uses in its place. Nothing on it names a file, a socket, another process or a
descriptor that is not open yet: what is left to a process that was taken over is to compute, to read and
write its two pipes, and to end.

A refused call fails with EPERM, and from `NEW_CALLS` on with ENOSYS, as on a system that has no such call:
libraries try those first and fall back to older ones, about which the table decides.
"""

import ctypes
import platform
import struct
import sys
from collections.abc import Sequence
from typing import NamedTuple

# seccomp(2), linux/seccomp.h
SECCOMP_CALL = {"x86_64": 317, "aarch64": 277}
SET_MODE_FILTER = 1
ALL_THREADS = 1
"""SECCOMP_FILTER_FLAG_TSYNC."""

# Classic BPF (linux/bpf_common.h): load a word of seccomp_data; keep some of its bits; jump if equal, jump if
# greater or equal; return.
LOAD, AND, EQUAL, AT_LEAST, RETURN = 0x20, 0x54, 0x15, 0x35, 0x06
NUMBER_AT, ARCHITECTURE_AT = 0, 4
ARGUMENTS_AT = 16
"""Of the first argument's lower word; eight bytes each."""
ALLOW, EPERM, ENOSYS = 0x7FFF_0000, 0x0005_0001, 0x0005_0026
X32_BIT = 0x4000_0000
"""x86-64 kernels take a second set of numbers from here on."""
NEW_CALLS = 424
"""Calls of Linux 5.1 and later; each has one number on all architectures."""

ARCHITECTURES = {"x86_64": 0xC000_003E, "aarch64": 0xC000_00B7}


class Only(NamedTuple):
    """The values that an argument may have: its lower 32 bits, or its upper ones; or some of the bits."""

    argument: int
    values: tuple[int, ...]
    upper: bool = False
    bits: int = 0xFFFF_FFFF

    @property
    def at(self) -> int:
        """Where the word lies in seccomp_data."""
        return ARGUMENTS_AT + 8 * self.argument + 4 * self.upper


class Call(NamedTuple):
    """An allowed call: its numbers (None where nothing needs it), what needs it, and with what arguments."""

    name: str
    x86_64: int | None
    aarch64: int | None
    why: str
    only: tuple[Only, ...] = ()

    def number(self, machine: str) -> int | None:
        """Its number on a machine. Raises KeyError for an architecture that has no column."""
        return {"x86_64": self.x86_64, "aarch64": self.aarch64}[machine]


READ, WRITE, RUN, GUARDED = 1, 2, 4, 16
"""Protections of pages (linux/mman-common.h); the last is AArch64's PROT_BTI, which wasmtime asks for."""
NEVER_CODE = Only(2, (0, READ, READ | WRITE))
NEVER_BOTH = Only(2, (0, READ, READ | WRITE, READ | RUN, READ | RUN | GUARDED))
UNSHARED = Only(3, (2,), bits=3)
"""MAP_PRIVATE: the limit of memory counts no shared pages. A team's are made before the filter is."""
GIVEN_BACK = Only(2, (4, 8, 14))
"""MADV_DONTNEED, MADV_FREE, MADV_HUGEPAGE; others spoil pages, or mark them for other processes to merge."""
OWN_LIMITS_ASKED = Only(0, (0,)), Only(2, (0,)), Only(2, (0,), upper=True)
"""Of this process, and no new limit."""

ALLOWED = (
    Call("futex", 202, 98, "locks: Python's, and those between threads of a team"),
    Call("read", 0, 63, "the job and its rows come by a pipe"),
    Call("write", 1, 64, "plan, progress and result go by a pipe"),
    Call("clock_nanosleep", 230, 115, "an instance that waits for another one's gradients"),
    Call("nanosleep", 35, 101, "the same where the C library has no newer one (musl)"),
    Call("clock_gettime", 228, 113, "the time where the system cannot read it without a call"),
    Call("restart_syscall", 219, 128, "a wait goes on after the process was stopped and continued"),
    Call("sched_yield", 24, 124, "spinning locks: Python without its global lock, OpenBLAS"),
    Call("mmap", 9, 222, "memory: the heap's, the module's code and pages", (NEVER_CODE, UNSHARED)),
    Call("munmap", 11, 215, "the same, given back"),
    Call("mremap", 25, 216, "a large array grows; a step's pages appear in every instance"),
    Call("mprotect", 10, 226, "pages of a module become code, or memory; heaps of threads", (NEVER_BOTH,)),
    Call("madvise", 28, 233, "large pages; memory given back", (GIVEN_BACK,)),
    Call("brk", 12, 214, "the C library's heap"),
    Call("getrandom", 318, 278, "seeds of hash tables, in wasmtime and the C library"),
    Call("rt_sigaction", 13, 134, "wasmtime turns a module's trap from a signal into an error"),
    Call("rt_sigreturn", 15, 139, "the end of such a signal"),
    Call("rt_sigprocmask", 14, 135, "the C library around abort, and where a thread ends"),
    Call("sigaltstack", 131, 132, "where a signal finds a stack when the thread's own is full"),
    Call("membarrier", None, 283, "other processors see a module's code (wasmtime; x86-64 needs no call)"),
    Call("getpid", 39, 172, "abort, as after memory has run out in wasmtime"),
    Call("gettid", 186, 178, "the same"),
    Call("getcpu", 309, 168, "mimalloc of Python without its global lock: which heap is near"),
    Call("sched_getaffinity", 204, 123, "malloc: how many heaps are worth having"),
    Call("sysinfo", 99, 179, "the C library's sorting: how much memory there is"),
    Call("prlimit64", 302, 261, "threads: how large a stack may grow", OWN_LIMITS_ASKED),
    Call("exit", 60, 93, "a thread ends; without it the C library tries for ever"),
    Call("exit_group", 231, 94, "the process ends"),
)  # fmt: skip

Record = tuple[int, int, int, int]


def program(machine: str, calls: Sequence[Call] = ALLOWED) -> bytes:
    """The filter for a machine, as `struct sock_filter` records. Raises KeyError for another architecture."""
    refuse = (RETURN, 0, 0, EPERM)
    records: list[Record] = [
        (LOAD, 0, 0, ARCHITECTURE_AT), (EQUAL, 1, 0, ARCHITECTURES[machine]), refuse,
        (LOAD, 0, 0, NUMBER_AT), (AT_LEAST, 0, 1, X32_BIT), refuse,
    ]  # fmt: skip
    for call in calls:
        number = call.number(machine)
        if number is not None:
            inside = [record for only in call.only for record in _one_of(only)]
            records += [(EQUAL, 0, len(inside) + 1, number), *inside, (RETURN, 0, 0, ALLOW)]
    records += [(AT_LEAST, 0, 1, NEW_CALLS), (RETURN, 0, 0, ENOSYS), refuse]
    return b"".join(struct.pack("<HBBI", *record) for record in records)


def _one_of(only: Only) -> list[Record]:
    """Goes on behind its end if the argument has one of the values, else refuses."""
    count = len(only.values)
    tests = [(EQUAL, count - place, 0, value) for place, value in enumerate(only.values)]
    return [(LOAD, 0, 0, only.at), (AND, 0, 0, only.bits), *tests, (RETURN, 0, 0, EPERM)]


def install() -> bool:
    """Put the filter on every thread of this process for good; needs `no new privileges`. False where the
    system refuses."""
    machine = platform.machine()
    if sys.platform != "linux" or machine not in ARCHITECTURES:
        return False
    records = program(machine)
    buffer = ctypes.create_string_buffer(records, len(records))
    header = ctypes.create_string_buffer(struct.pack("HxxxxxxP", len(records) // 8, ctypes.addressof(buffer)))
    call = ctypes.CDLL(None, use_errno=True).syscall
    call.restype = ctypes.c_long
    number, mode, flags = (ctypes.c_long(n) for n in (SECCOMP_CALL[machine], SET_MODE_FILTER, ALL_THREADS))
    return bool(call(number, mode, flags, header) == 0)
