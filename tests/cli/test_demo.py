"""The demo as a user runs it, and the same demo with a provider that copies a row out: the scan must catch
that.
"""

import contextlib
import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from cli.demo import claims, story
from cli.demo.actors import Actors, DemoError

FIELDS = {
    "accuracy_before",
    "accuracy_after",
    "price_paid",
    "provider_received",
    "enclave_imports",
    "fuel_quoted",
    "fuel_used",
    "weights_hash",
    "blocks",
    "rows_leaked",
}

# Pixels as bytes are tiny float32 numbers: sixteen weights become almost zero and accuracy does not show it.
LEAKY_PROVIDER = """
import dataclasses, sys
from cli.__main__ import main
from executor import enclave, rows, weights
from primitives.data import chunk_rows
from primitives.job import weights_hash

honest = enclave.Enclave.train

def copying(self, model, source, *arguments, **named):
    result = honest(self, model, source, *arguments, **named)
    count = chunk_rows(source.schema, source.rows, 0)
    row = rows.decode_chunk(source.schema, source.chunk(0)[1], count)["pixels"][7].tobytes()
    span = next(s for s in weights._raw_data_spans(result.weights) if s and s.length >= len(row))
    data = bytearray(result.weights)
    data[span.offset : span.offset + len(row)] = row
    return dataclasses.replace(result, weights=bytes(data), weights_hash=weights_hash(bytes(data)))

enclave.Enclave.train = copying
sys.exit(main(sys.argv[1:]))
"""


class LeakyActors(Actors):
    """Runs a build of the provider that copies one private row over the first weights."""

    def command(self, *words: str) -> list[str]:
        if words[:2] == ("provider", "run"):
            return [sys.executable, "-c", LEAKY_PROVIDER, *words]
        return super().command(*words)


def test_the_demo_holds_what_it_claims(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "cli", "demo", "--json", "--keep", str(tmp_path / "demo")],
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found.keys() >= FIELDS and found["holds"] and all(found["claims"].values())
    assert found["accuracy_after"] >= 0.90 and found["accuracy_after"] - found["accuracy_before"] >= 0.5
    assert found["provider_received"] == found["price_paid"] > 0 and isinstance(found["price_paid"], int)
    assert found["enclave_imports"] == 0 and found["rows_leaked"] == 0 and found["rows_searched"] > 1300
    assert found["fuel_used"] <= found["fuel_quoted"] <= found["fuel_used"] / 0.9
    assert [job["model"] for job in found["jobs"]] == ["mlp", "cnn"]
    assert all(job["accuracy_after"] >= 0.90 and job["rows_leaked"] == 0 for job in found["jobs"])
    steps = ["registered", "listed", "submitted", "accepted", "delivered", "settled"]
    assert [found["blocks"][step] for step in steps] == sorted(found["blocks"][step] for step in steps)
    names = {path.name for path in (tmp_path / "demo").iterdir()}
    assert {"audit", "traffic", "logs", "chain", "buyer", "private"} <= names


def test_the_scan_catches_a_provider_that_copies_a_row(tmp_path: Path) -> None:
    told = story.play(["mlp"], tmp_path / "demo", lambda _: None, LeakyActors)
    (job,) = told.jobs
    assert job.leaks.rows_leaked == 1 and {hit.row for hit in job.leaks.hits} == {7}
    assert any("audit" in hit.where for hit in job.leaks.hits)
    assert [claim.text for claim in claims.check(job) if not claim.holds] == [
        "the byte scan finds no row of the provider"
    ]


def test_a_failure_is_a_sentence_with_the_logs(tmp_path: Path) -> None:
    with Actors(tmp_path, {}) as actors:
        actors.start("node", "node", "--chain", "no-such-chain")
        with pytest.raises(DemoError, match=r"the node stopped: error\[.*logs: "):
            actors.until("node", lambda: None)
        with pytest.raises(DemoError, match="`gristmill key nonsense` failed"):
            actors.run("key", "key", "nonsense")


def test_every_process_is_stopped(tmp_path: Path) -> None:
    sleeper = (
        "import signal, time; signal.signal(signal.SIGINT, lambda *_: exit(0)); print('{}'); time.sleep(60)"
    )

    class Sleepers(Actors):
        def command(self, *words: str) -> list[str]:
            return [sys.executable, "-c", sleeper]

    with pytest.raises(ZeroDivisionError), Sleepers(tmp_path, {}) as actors:
        for name in ("one", "two"):
            actors.start(name)
            actors.until(name, lambda name=name: actors.said(name))
        processes = list(actors._running.values())
        raise ZeroDivisionError
    assert [process.poll() for process in processes] == [0, 0]


def test_an_interruption_while_a_process_starts_leaves_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The signal comes when the process exists and nobody knows it yet."""
    started: list[subprocess.Popen[bytes]] = []
    honest = subprocess.Popen

    def interrupted(*words: Any, **options: Any) -> subprocess.Popen[bytes]:
        started.append(honest(*words, **options))
        signal.raise_signal(signal.SIGINT)
        return started[0]

    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt), Actors(tmp_path, {}) as actors:
            monkeypatch.setattr(subprocess, "Popen", interrupted)
            actors.start("node", "node", "--dev", "--tmp", "--rpc-port=0")
    finally:
        assert signal.signal(signal.SIGINT, before) is signal.default_int_handler
    assert [process.poll() is not None for process in started] == [True]


def test_a_folder_that_is_in_use_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("x")
    with pytest.raises(DemoError, match="not empty"):
        story.play(["mlp"], tmp_path, lambda _: None)
    assert (tmp_path / "mine").read_text() == "x"


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupted_demo_leaves_no_process(tmp_path: Path, number: int, code: int) -> None:
    folder = tmp_path / "demo"
    words = [sys.executable, "-m", "cli", "demo", "--json", "--keep", str(folder)]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    # Whoever runs the tests in the background may have SIGINT ignored, and children inherit that.
    with subprocess.Popen(words, **pipes, preexec_fn=hear_interrupts) as demo:  # noqa: PLW1509
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline and not (folder / "logs" / "provider.log").exists():
            time.sleep(0.05)
        assert len(using(folder)) >= 2, "the node and the demo"
        demo.send_signal(number)
        output, errors = demo.communicate(timeout=120)
    assert (demo.returncode, output) == (code, b"") and b"Traceback" not in errors
    assert using(folder) == []


def hear_interrupts() -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def using(folder: Path) -> list[str]:
    """Command lines of the processes that name the folder."""
    found = []
    for process in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            words = process.read_bytes().replace(b"\0", b" ").decode(errors="replace")
            if str(folder) in words and "multiprocessing" not in words:
                found.append(words)
    return found
