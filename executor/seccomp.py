"""System calls that the enclave's process loses: a seccomp filter, built here (Linux, x86-64 and AArch64).

A list of what is forbidden, not of what is allowed, so that a new C library or wasmtime does not break
training: no new process or program, no socket, no signal to others (not by a pipe's owner either), no look
into other processes and no say in their limits, priorities and processors, no memory or queue that outlives
the process, and none of the large kernel interfaces that a computation has no use for. A forbidden call fails
with EPERM. Files are closed by Landlock.
"""

import ctypes
import platform
import struct
import sys
from typing import NamedTuple

# seccomp(2), linux/seccomp.h
SECCOMP_CALL = {"x86_64": 317, "aarch64": 277}
SET_MODE_FILTER = 1
ALL_THREADS = 1
"""SECCOMP_FILTER_FLAG_TSYNC."""

# Classic BPF (linux/bpf_common.h): load a word of seccomp_data; jump if equal, jump if greater or equal;
# return.
LOAD, EQUAL, AT_LEAST, RETURN = 0x20, 0x15, 0x35, 0x06
NUMBER_AT, ARCHITECTURE_AT = 0, 4
ARGUMENTS_AT = 16
"""Of the first argument's lower word; eight bytes each."""
ALLOW, EPERM = 0x7FFF_0000, 0x0005_0001
X32_BIT = 0x4000_0000
"""x86-64 kernels take a second set of numbers from here on."""

ARCHITECTURES = {"x86_64": 0xC000_003E, "aarch64": 0xC000_00B7}
FORBIDDEN: dict[str, dict[str, int]] = {
    "x86_64": {
        "clone": 56, "fork": 57, "vfork": 58, "execve": 59, "kill": 62, "socket": 41, "socketpair": 53,
        "ptrace": 101, "mount": 165, "tkill": 200, "tgkill": 234, "add_key": 248, "request_key": 249,
        "keyctl": 250, "unshare": 272, "perf_event_open": 298, "open_by_handle_at": 304, "setns": 308,
        "process_vm_readv": 310, "process_vm_writev": 311, "kcmp": 312, "memfd_create": 319, "bpf": 321,
        "execveat": 322, "userfaultfd": 323, "rt_sigqueueinfo": 129, "rt_tgsigqueueinfo": 297,
        "setpriority": 141, "sched_setparam": 142, "sched_setscheduler": 144, "sched_setaffinity": 203,
        "sched_setattr": 314, "ioprio_set": 251, "migrate_pages": 256, "move_pages": 279,
        "shmget": 29, "semget": 64, "msgget": 68, "mq_open": 240,
    },
    "aarch64": {
        "clone": 220, "execve": 221, "kill": 129, "socket": 198, "socketpair": 199, "ptrace": 117,
        "mount": 40, "tkill": 130, "tgkill": 131, "add_key": 217, "request_key": 218, "keyctl": 219,
        "unshare": 97, "perf_event_open": 241, "open_by_handle_at": 265, "setns": 268,
        "process_vm_readv": 270, "process_vm_writev": 271, "kcmp": 272, "memfd_create": 279, "bpf": 280,
        "execveat": 281, "userfaultfd": 282, "rt_sigqueueinfo": 138, "rt_tgsigqueueinfo": 240,
        "setpriority": 140, "sched_setparam": 118, "sched_setscheduler": 119, "sched_setaffinity": 122,
        "sched_setattr": 274, "ioprio_set": 30, "migrate_pages": 238, "move_pages": 239,
        "shmget": 194, "semget": 190, "msgget": 186, "mq_open": 180,
    },
}  # fmt: skip
EVERYWHERE = {
    "pidfd_send_signal": 424, "io_uring_setup": 425, "pidfd_open": 434, "clone3": 435, "pidfd_getfd": 438,
    "process_madvise": 440, "process_mrelease": 448,
}  # fmt: skip
"""Newer calls have one number on all architectures."""


class Guard(NamedTuple):
    """A call that is refused if one of its arguments has (or, with `only`, has not) one of some values."""

    numbers: dict[str, int]
    argument: int
    values: tuple[int, ...]
    only: bool


GUARDS = (
    # F_SETOWN, F_SETSIG, F_SETOWN_EX: whom the kernel signals when a pipe is ready, and with what.
    Guard({"x86_64": 72, "aarch64": 25}, 1, (8, 10, 15), False),
    # prlimit64 of this process is how the C library asks for limits; of another one it would set them.
    Guard({"x86_64": 302, "aarch64": 261}, 0, (0,), True),
)


def program(machine: str) -> bytes:
    """The filter for a machine, as `struct sock_filter` records. Raises KeyError for another architecture."""
    numbers = sorted({*FORBIDDEN[machine].values(), *EVERYWHERE.values()})
    guards = [record for guard in GUARDS for record in _guarded(machine, guard)]
    # A jump names how many records to skip; both exits stand at the end: allow, then refuse.
    rest = len(guards) + len(numbers)
    records = [(LOAD, 0, 0, ARCHITECTURE_AT), (EQUAL, 0, rest + 3, ARCHITECTURES[machine])]
    records += [(LOAD, 0, 0, NUMBER_AT), (AT_LEAST, rest + 1, 0, X32_BIT), *guards]
    records += [(EQUAL, len(numbers) - place, 0, number) for place, number in enumerate(numbers)]
    records += [(RETURN, 0, 0, ALLOW), (RETURN, 0, 0, EPERM)]
    return b"".join(struct.pack("<HBBI", *record) for record in records)


def _guarded(machine: str, guard: Guard) -> list[tuple[int, int, int, int]]:
    """Skipped for all calls but one, which ends here: the first exit is for any other value."""
    listed, other = (ALLOW, EPERM) if guard.only else (EPERM, ALLOW)
    count = len(guard.values)
    tests = [(EQUAL, count - place, 0, value) for place, value in enumerate(guard.values)]
    inside = [
        (LOAD, 0, 0, ARGUMENTS_AT + 8 * guard.argument),
        *tests,
        (RETURN, 0, 0, other),
        (RETURN, 0, 0, listed),
    ]
    return [(EQUAL, 0, len(inside), guard.numbers[machine]), *inside]


def install() -> bool:
    """Put the filter on every thread of this process for good; needs `no new privileges`. False where the
    system refuses."""
    machine = platform.machine()
    if sys.platform != "linux" or machine not in FORBIDDEN:
        return False
    records = program(machine)
    buffer = ctypes.create_string_buffer(records, len(records))
    header = ctypes.create_string_buffer(struct.pack("HxxxxxxP", len(records) // 8, ctypes.addressof(buffer)))
    call = ctypes.CDLL(None, use_errno=True).syscall
    call.restype = ctypes.c_long
    number, mode, flags = (ctypes.c_long(n) for n in (SECCOMP_CALL[machine], SET_MODE_FILTER, ALL_THREADS))
    return bool(call(number, mode, flags, header) == 0)
