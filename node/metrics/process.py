"""The figures of the process itself, under the names that every Prometheus client gives them."""

from __future__ import annotations

import os
import resource
from collections.abc import Iterator
from pathlib import Path

from node.metrics.series import Family, counter, gauge

STAT = Path("/proc/self/stat")


def process_families() -> Iterator[Family]:
    """Processor time, memory, descriptors, threads; what this system does not tell is left out."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    seconds = usage.ru_utime + usage.ru_stime
    yield counter("process_cpu_seconds_total", "Total user and system CPU time spent in seconds.", seconds)
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    yield gauge("process_max_fds", "Maximum number of open file descriptors.", limit)
    if not STAT.exists():
        return
    fields = STAT.read_text().rpartition(")")[2].split()
    threads, ticks, virtual, pages = (int(fields[at]) for at in (17, 19, 20, 21))
    open_files = len(os.listdir("/proc/self/fd"))
    yield gauge("process_open_fds", "Number of open file descriptors.", open_files)
    yield gauge("process_virtual_memory_bytes", "Virtual memory size in bytes.", virtual)
    resident = pages * os.sysconf("SC_PAGE_SIZE")
    yield gauge("process_resident_memory_bytes", "Resident memory size in bytes.", resident)
    started = _boot_time() + ticks / os.sysconf("SC_CLK_TCK")
    yield gauge("process_start_time_seconds", "Start time of the process since unix epoch.", started)
    yield gauge("process_threads", "Number of OS threads in the process.", threads)


def _boot_time() -> int:
    for line in Path("/proc/stat").read_text().splitlines():
        if line.startswith("btime "):
            return int(line.split()[1])
    return 0
