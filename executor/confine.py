"""What the enclave's process does to itself before it touches a hostile model.

`confine` runs once every module is imported, since it takes the file system away, and while the process
has one thread, since new namespaces need that; threads that share the work start in the middle of it. Each
measure that the system does not allow is reported by name, never silently skipped: the caller shows them.
Resource limits hold on every POSIX system; the rest is Linux.
"""

import ctypes
import os
import resource
import sys
from collections.abc import Callable

from executor import seccomp

PR_SET_PDEATHSIG = 1
PR_SET_DUMPABLE = 4
PR_SET_NO_NEW_PRIVS = 38
SIGKILL = 9

CLONE_NEWUSER = 0x1000_0000
CLONE_NEWNET = 0x4000_0000
CLONE_NEWIPC = 0x0800_0000

# Landlock (Linux 5.13; security/landlock/, linux/landlock.h): these system calls have one number everywhere.
LANDLOCK_CREATE_RULESET = 444
LANDLOCK_RESTRICT_SELF = 446
LANDLOCK_VERSION_FLAG = 1
FILE_RIGHTS = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1}
"""Every file access right that version 1, 2, 3 of the interface can forbid."""

KEPT_DESCRIPTORS = 3
LAST_SECONDS = 5
"""Of processor time, from SIGXCPU, by which the parent knows why the process ended, to SIGKILL."""


def confine(
    address_space: int, data: int, cpu_seconds: int, threads: Callable[[], object] = lambda: None
) -> list[str]:
    """Give up everything that a computation does not need. Returns the names of what was not allowed.

    `data` bounds the bytes that can be written; `address_space` must also hold what wasmtime reserves
    unwritable. `threads` starts those that the computation needs: after the namespaces, which want a single
    thread, and before the last measures, which hold for all; what was given up before, threads inherit.
    """
    os.closerange(KEPT_DESCRIPTORS, _most_descriptors())
    before = _take(
        {
            "end with the parent": lambda: _prctl(PR_SET_PDEATHSIG, SIGKILL),
            "no tracing": lambda: _prctl(PR_SET_DUMPABLE, 0),
            "no new privileges": lambda: _prctl(PR_SET_NO_NEW_PRIVS, 1),
            "own user, network and IPC namespace": _new_namespaces,
            "no file system (Landlock)": _no_files,
        }
    )
    threads()
    return before + _take(
        {
            "no core dump": lambda: _limit("RLIMIT_CORE", 0),
            "no file is written": lambda: _limit("RLIMIT_FSIZE", 0),
            "no new open files": lambda: _limit("RLIMIT_NOFILE", KEPT_DESCRIPTORS),
            "no new processes": lambda: _limit("RLIMIT_NPROC", 0),
            "bounded processor time": lambda: _limit("RLIMIT_CPU", cpu_seconds, LAST_SECONDS),
            "bounded address space": lambda: _limit("RLIMIT_AS", address_space),
            "bounded memory": lambda: _limit("RLIMIT_DATA", data),
            "fewer system calls (seccomp)": seccomp.install,
        }
    )


def _take(measures: dict[str, Callable[[], bool]]) -> list[str]:
    """Take each measure; the names of those that the system refuses."""
    return [name for name, measure in measures.items() if not measure()]


def _limit(name: str, value: int, more: int = 0) -> bool:
    """Set a resource limit, soft, and `more` above it hard, no higher than it already is."""
    which = getattr(resource, name)
    hard = resource.getrlimit(which)[1]
    unbounded = hard == resource.RLIM_INFINITY
    soft, most = (bound if unbounded else min(bound, hard) for bound in (value, value + more))
    try:
        resource.setrlimit(which, (soft, most))
    except (ValueError, OSError):
        return False
    return True


def _most_descriptors() -> int:
    return min(resource.getrlimit(resource.RLIMIT_NOFILE)[1], 1 << 20)


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _prctl(option: int, value: int) -> bool:
    if sys.platform != "linux":
        return False
    zero = ctypes.c_ulong(0)
    return bool(_libc().prctl(ctypes.c_int(option), ctypes.c_ulong(value), zero, zero, zero) == 0)


def _new_namespaces() -> bool:
    if sys.platform != "linux":
        return False
    return bool(_libc().unshare(CLONE_NEWUSER | CLONE_NEWNET | CLONE_NEWIPC) == 0)


def _no_files() -> bool:
    """A Landlock ruleset that handles every file right and grants none."""
    if sys.platform != "linux":
        return False
    call = _libc().syscall
    call.restype = ctypes.c_long
    version = call(ctypes.c_long(LANDLOCK_CREATE_RULESET), None, ctypes.c_size_t(0), LANDLOCK_VERSION_FLAG)
    if version < 1:
        return False
    rights = ctypes.c_uint64(FILE_RIGHTS.get(version, FILE_RIGHTS[3]))
    ruleset = call(ctypes.c_long(LANDLOCK_CREATE_RULESET), ctypes.byref(rights), ctypes.c_size_t(8), 0)
    if ruleset < 0:
        return False
    done = call(ctypes.c_long(LANDLOCK_RESTRICT_SELF), ctypes.c_int(ruleset), 0) == 0
    os.close(ruleset)
    return bool(done)
