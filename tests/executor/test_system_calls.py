"""The system calls that the enclave's process keeps: each is used, and nothing else passes."""

import os
import platform
import re
import signal
import struct
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from executor import seccomp
from executor.enclave import Limits, Secrets
from executor.errors import ExecutorError, ModelError
from executor.readers import read_table
from executor.rows import MemoryRows
from tests.executor.planted import ROOT, PlantedEnclave, four_rows, matmul_model, spec_for
from tests.executor.test_enclave_limits import MODEL, SPEC, need, probe, unconfined
from tests.executor.test_enclave_training import DIGITS, order

__all__ = ["unconfined"]  # a fixture

REFUSED = {seccomp.EPERM, seccomp.ENOSYS}
HEADERS = {
    "x86_64": ("/usr/include/x86_64-linux-gnu/asm/unistd_64.h", "/usr/include/asm/unistd_64.h"),
    "aarch64": ("/usr/include/asm-generic/unistd.h",),
}


# --- the filter ---------------------------------------------------------------------------------------------


@cache
def program(machine: str) -> list[tuple[int, ...]]:
    return list(struct.iter_unpack("<HBBI", seccomp.program(machine)))


def interpret(
    machine: str, number: int, arguments: tuple[int, ...] = (), architecture: int | None = None
) -> int:
    """What the filter returns for a system call."""
    records = program(machine)
    at, loaded = 0, 0
    words = {seccomp.NUMBER_AT: number, seccomp.ARCHITECTURE_AT: seccomp.ARCHITECTURES[machine]}
    if architecture is not None:
        words[seccomp.ARCHITECTURE_AT] = architecture
    for place in range(6):
        value = arguments[place] if place < len(arguments) else 0
        words[seccomp.ARGUMENTS_AT + 8 * place] = value & 0xFFFF_FFFF
        words[seccomp.ARGUMENTS_AT + 8 * place + 4] = value >> 32
    while records[at][0] != seccomp.RETURN:
        code, yes, no, value = records[at]
        if code == seccomp.LOAD:
            loaded = words[value]
            at += 1
        elif code == seccomp.AND:
            loaded &= value
            at += 1
        else:
            holds = loaded == value if code == seccomp.EQUAL else loaded >= value
            at += 1 + (yes if holds else no)
    verdict: int = records[at][3]
    return verdict


def numbers(machine: str) -> dict[str, int]:
    """The calls that a machine may make."""
    found = {call.name: call.number(machine) for call in seccomp.ALLOWED}
    return {name: number for name, number in found.items() if number is not None}


@pytest.mark.parametrize("machine", seccomp.ARCHITECTURES)
def test_only_what_the_table_lists_passes(machine: str) -> None:
    """Of all numbers that exist and some hundred that do not yet, and of the second set of x86-64."""
    allowed = {number for number in range(1200) if interpret(machine, number) == seccomp.ALLOW}
    # With zeros for arguments two rows are refused: madvise and mmap of no kind that the table names.
    rest = {numbers(machine)[name] for name in ("madvise", "mmap")}
    assert allowed == set(numbers(machine).values()) - rest
    for number in set(range(1200)) - set(numbers(machine).values()):
        wanted = seccomp.EPERM if number < seccomp.NEW_CALLS else seccomp.ENOSYS
        assert interpret(machine, number) == wanted, number
    for number in (2**30, 2**30 + 1, 2**31, 2**32 - 1):
        assert interpret(machine, number) == seccomp.EPERM, number
    assert interpret(machine, 1, architecture=0x4000_0003) == seccomp.EPERM, "a foreign architecture"
    assert len(seccomp.program(machine)) // 8 < 256, "a jump skips no more"


ARGUMENTS = [
    ("mmap", (0, 1, 3, 0x22), True),
    ("mmap", (0, 1, 3, 0x4032), True),
    ("mmap", (0, 1, 3, 0x21), False),  # MAP_SHARED
    ("mmap", (0, 1, 3, 0x23), False),
    ("mmap", (0, 1, 7, 0x22), False),
    ("mmap", (0, 1, 4, 0x22), False),
    ("mprotect", (0, 1, 5), True),
    ("mprotect", (0, 1, 7), False),
    ("mprotect", (0, 1, 6), False),
    ("madvise", (0, 1, 14), True),
    ("madvise", (0, 1, 12), False),  # MADV_MERGEABLE: when pages are merged tells what others hold
    ("madvise", (0, 1, 100), False),  # MADV_HWPOISON
    ("prlimit64", (0, 3, 0, 1 << 40), True),
    ("prlimit64", (1, 3, 0, 1 << 40), False),
    ("prlimit64", (2**31, 3, 0, 1 << 40), False),
    ("prlimit64", (0, 3, 1 << 40, 0), False),
    ("prlimit64", (0, 3, 1 << 12, 0), False),
]


@pytest.mark.parametrize("machine", seccomp.ARCHITECTURES)
@pytest.mark.parametrize(("name", "arguments", "passes"), ARGUMENTS)
def test_arguments(machine: str, name: str, arguments: tuple[int, ...], passes: bool) -> None:
    verdict = interpret(machine, numbers(machine)[name], arguments)
    assert verdict == (seccomp.ALLOW if passes else seccomp.EPERM)


@pytest.mark.parametrize("machine", seccomp.ARCHITECTURES)
def test_numbers_are_the_kernels_own(machine: str) -> None:
    """AArch64's are the generic ones of newer architectures."""
    header = next((Path(name) for name in HEADERS[machine] if Path(name).exists()), None)
    if header is None:
        pytest.skip("no headers of the kernel on this system")
    known = dict(re.findall(r"#define __NR(?:3264)?_(\w+)\s+(\d+)", header.read_text()))
    assert numbers(machine) == {name: int(known[name]) for name in numbers(machine)}


# --- what is allowed is used --------------------------------------------------------------------------------

TRACED = """
import struct
from executor import seccomp, team
team.WORTH = 0  # steps of any size are handed around
def traced(machine, made=seccomp.program):
    "The filter, with `allowed` as `tell the tracer which`."
    calls = iter([n for n, call in enumerate(seccomp.ALLOWED) if call.number(machine) is not None])
    found = b""
    for record in struct.iter_unpack("<HBBI", made(machine)):
        if record == (seccomp.RETURN, 0, 0, seccomp.ALLOW):
            record = (seccomp.RETURN, 0, 0, 0x7FF0_0000 | next(calls))
        found += struct.pack("<HBBI", *record)
    return found
seccomp.program = traced
"""
REAL = "from executor.compiler.compile import compile_training\n"
TRAP_AND_END = """
from executor.errors import ModelError
def compile_training(*_):
    box = worker.sandbox_for(plan("(drop (i32.load (i32.const -9)))"), 1 << 20, 100, worker.Helpers(0))
    try:
        box.call("run", 0, 0)
    except Exception as error:
        raise ModelError(type(error).__name__)
"""
ELSEWHERE = {
    "nanosleep", "clock_gettime", "restart_syscall", "sched_yield", "rt_sigprocmask", "membarrier", "getpid",
    "gettid", "getcpu", "sched_getaffinity", "sysinfo", "prlimit64", "exit", "exit_group",
}  # fmt: skip
"""What these jobs need on another system only, or when they are stopped, or as they end by themselves."""
BY_CHANCE = {"brk", "munmap", "mremap", "clock_nanosleep"}
"""How memory grows is up to the C library, and an instance may find that all others are done."""


class Traced(PlantedEnclave):
    """Its process runs under a tracer, which notes the calls that the filter passes."""

    def __init__(self, source: str, threads: int, found: Path) -> None:
        super().__init__(TRACED + source, threads)
        self.found = found

    def command(self) -> list[str]:
        tracer = str(ROOT / "tests" / "executor" / "traced.py")
        return [sys.executable, "-I", tracer, str(self.found), *super().command()]


def test_what_is_allowed_is_used(unconfined: tuple[str, ...], tmp_path: Path) -> None:
    """By a team that trains for real and by a process that meets a trap and ends, on this system."""
    need(unconfined, "seccomp")
    if not can_trace():
        pytest.skip("this system does not let a process trace its child")
    table = read_table(DIGITS / "provider.csv", {"pixels": (1, 8, 8)})
    rows = MemoryRows(table.schema(), {name: col[:50] for name, col in table.columns.items()}, secret=None)
    model = (DIGITS / "mlp.onnx").read_bytes()
    job, limits = order(model, batch=24, epochs=1, shards=2), Limits(deadline_ms=120_000)
    found = tmp_path / "calls"
    Traced(REAL, 2, found).train(model, rows, job, limits, Secrets())
    with pytest.raises(ModelError, match="EnclaveCrashed"):
        Traced(TRAP_AND_END, 1, found).quote(MODEL, SPEC, 4)
    used = {seccomp.ALLOWED[number].name for number in found.read_bytes()}
    assert numbers(platform.machine()).keys() - used <= ELSEWHERE | BY_CHANCE
    assert "rt_sigreturn" in used


def can_trace() -> bool:
    """Whether the tracer of these tests works here."""
    tracer = str(ROOT / "tests" / "executor" / "traced.py")
    done = subprocess.run(
        [sys.executable, "-I", tracer, os.devnull, sys.executable, "-I", "-c", "7"], check=False
    )
    return done.returncode == 0


CONFINED = f"""
import sys, threading, time, ctypes
sys.path.insert(0, {str(ROOT)!r})
from executor import confine, seccomp
ended = threading.Thread(target=time.sleep, args=(0.2,))
ended.start()
assert confine._prctl(confine.PR_SET_NO_NEW_PRIVS, 1) and seccomp.install()
print("ready", flush=True)
"""


def confined(deed: str) -> "subprocess.Popen[str]":
    """A plain process under the filter, which says that it is ready and then does something."""
    command = [sys.executable, "-I", "-c", CONFINED + deed]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_a_wait_goes_on_after_a_stop(unconfined: tuple[str, ...]) -> None:
    need(unconfined, "seccomp")
    with confined("time.sleep(0.5); print('slept')") as process:
        assert process.stdout is not None and process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WNOWAIT)
        process.send_signal(signal.SIGCONT)
        assert process.communicate() == ("slept\n", "")


def test_a_thread_may_end(unconfined: tuple[str, ...]) -> None:
    need(unconfined, "seccomp")
    with confined("ended.join(); print(threading.active_count())") as process:
        assert process.communicate() == ("ready\n1\n", "") and process.returncode == 0


# --- what a process wants that was taken over ---------------------------------------------------------------


UNFILTERED = {335, 336} if platform.machine() == "x86_64" else set()
"""uretprobe and uprobe: newer kernels ask no filter about them, and end a process by SIGILL that makes them
without having been instrumented."""


def test_every_other_call_is_refused_for_real(unconfined: tuple[str, ...]) -> None:
    """Each number below 600, which leaves room for those that no kernel has yet."""
    need(unconfined, "seccomp")
    others = sorted(set(range(600)) - set(numbers(platform.machine()).values()) - UNFILTERED)
    tried = f"""(lambda call: [
        (n, errno.errorcode.get(ctypes.get_errno())) for n in {others} if call(n, 0, 0, 0, 0, 0, 0) != -1
        or ctypes.get_errno() != (errno.EPERM if n < {seccomp.NEW_CALLS} else errno.ENOSYS)
    ])(ctypes.CDLL(None, use_errno=True).syscall)"""
    assert probe(" ".join(tried.split())) == "[]"


QUEUED = {
    "x86_64": {"rt_sigqueueinfo": 129, "rt_tgsigqueueinfo": 297},
    "aarch64": {"rt_sigqueueinfo": 138, "rt_tgsigqueueinfo": 240},
}
SIGNAL = (
    "(lambda i: (i.__setitem__(2, -1), errno.errorcode.get(ctypes.get_errno() if"
    " ctypes.CDLL(None, use_errno=True).syscall({}, i) else 0))[1])((ctypes.c_int * 32)())"
)
OTHERS = {
    "a signal that is queued": (SIGNAL.format("{rt_sigqueueinfo}, PARENT, 0"), "EPERM"),
    "a signal to a thread": (SIGNAL.format("{rt_tgsigqueueinfo}, PARENT, PARENT, 0"), "EPERM"),
    "limits": ("resource.prlimit(PARENT, resource.RLIMIT_CORE)", "PermissionError"),
    "limits of its own": ("resource.setrlimit(resource.RLIMIT_CPU, (9, 9))", "ValueError"),
    "priority": ("os.setpriority(os.PRIO_PROCESS, PARENT, 19)", "PermissionError"),
    "processors": ("os.sched_setaffinity(PARENT, [0])", "PermissionError"),
    "the owner of a pipe": ("fcntl.fcntl(0, fcntl.F_SETOWN, PARENT)", "PermissionError"),
    "the signal of a pipe": ("fcntl.fcntl(0, 10, 15)", "PermissionError"),
    "memory that stays": ("ctypes.CDLL(None).shmget(0, 1 << 20, 0o1600)", "-1"),
    "whether a file is there": ("os.stat('/etc/passwd')", "PermissionError"),
    "where it is": ("os.readlink('/proc/self/exe')", "PermissionError"),
    "who it is": ("os.setuid(0)", "PermissionError"),
    "the name of the machine": ("os.uname()", "PermissionError"),
    "a second end of a pipe": ("os.dup(1)", "PermissionError"),
    "a pipe of its own": ("os.pipe()", "PermissionError"),
    "whose terminal": ("os.ttyname(2)", "PermissionError"),
    "another filter, or none": ("ctypes.CDLL(None).prctl(22, 2, 0)", "-1"),
    "a thread that outlives the limits": ("_thread.start_new_thread(int, ())", "RuntimeError"),
    "memory that no limit counts": ("mmap.mmap(-1, 3 << 30)", "PermissionError"),
    "pages both written and run": ("int(ctypes.CDLL(None).mmap(None, 4096, 7, 34, -1, 0))", "-1"),
}
"""What the process could do to others that run as the same user, to the provider's daemon first of all; what
it could learn of the machine; and what it could give itself."""


def test_the_parent_and_the_machine_are_out_of_reach(unconfined: tuple[str, ...]) -> None:
    need(unconfined, "seccomp")
    queued = QUEUED[platform.machine()]
    deeds = [deed.format(**queued) if "rt_" in deed else deed for deed, _ in OTHERS.values()]
    tries = ", ".join(f"attempt(lambda: {deed})" for deed in deeds)
    found = eval(probe(f"[{tries}]"))
    assert dict(zip(OTHERS, found, strict=True)) == {name: answer for name, (_, answer) in OTHERS.items()}


def test_a_job_under_a_filter_that_lacks_a_call_fails_by_name(unconfined: tuple[str, ...]) -> None:
    """As on a system whose library wants what the table does not have: an error, and no hang."""
    need(unconfined, "seccomp")
    lacking = """
from executor import seccomp
seccomp.ALLOWED = tuple(call for call in seccomp.ALLOWED if call.name != "getrandom")
seccomp.program.__defaults__ = (seccomp.ALLOWED,)
"""
    model = matmul_model()
    with pytest.raises(ExecutorError):
        PlantedEnclave(lacking).train(model, four_rows(), spec_for(model), Limits(), Secrets())
