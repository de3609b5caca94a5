"""Which of its allowed system calls an enclave's process makes: a program between the two.

    python traced.py FILE PROGRAM ARGUMENT…

starts the program as its tracer (ptrace(2)). Where the program's filter returns SECCOMP_RET_TRACE with a
number instead of allowing a call, each such number is added to the file once, as a byte, and the call goes
on. Standard input and output are the program's.
"""

import ctypes
import os
import signal
import sys

TRACEME, CONTINUE, SET_OPTIONS, EVENT_MESSAGE = 0, 7, 0x4200, 0x4201
"""sys/ptrace.h"""
TRACE_CLONE, TRACE_SECCOMP, EXIT_KILL = 1 << 3, 1 << 7, 1 << 20
SECCOMP_EVENT = 7
END_WITH_PARENT = 1
"""PR_SET_PDEATHSIG"""
WAIT_ALL = 0x4000_0000
"""__WALL: threads too."""


def ptrace(request: int, process: int, address: int = 0, data: int = 0) -> int:
    """ptrace(2); -1 on failure."""
    call = ctypes.CDLL(None, use_errno=True).ptrace
    call.restype = ctypes.c_long
    call.argtypes = ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p
    return int(call(request, process, address, data))


def main(found: str, command: list[str]) -> int:
    """Run a command to its end; its exit code. Both end with whoever started this."""
    ctypes.CDLL(None).prctl(END_WITH_PARENT, signal.SIGKILL, 0, 0, 0)
    child = os.fork()
    if child == 0:
        if ptrace(TRACEME, 0) < 0:
            os._exit(99)
        os.kill(os.getpid(), signal.SIGSTOP)
        os.execv(command[0], command)
    file = os.open(found, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    seen: set[int] = set()
    while True:
        process, status = os.waitpid(-1, WAIT_ALL)
        if os.WIFEXITED(status) or os.WIFSIGNALED(status):
            if process == child:
                return os.waitstatus_to_exitcode(status)
            continue
        given = os.WSTOPSIG(status)
        if status >> 16 == SECCOMP_EVENT:
            message = ctypes.c_ulong()
            ptrace(EVENT_MESSAGE, process, 0, ctypes.addressof(message))
            if message.value not in seen:
                seen.add(message.value)
                os.write(file, bytes([message.value]))
        elif given == signal.SIGSTOP and process == child:
            ptrace(SET_OPTIONS, process, 0, TRACE_CLONE | TRACE_SECCOMP | EXIT_KILL)
        # A stop of ours is not passed on; any other signal is the program's own.
        ptrace(CONTINUE, process, 0, 0 if given in (signal.SIGTRAP, signal.SIGSTOP) else given)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
