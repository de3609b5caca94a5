"""Files that users name: without an end, in folders that are not there; writing whole or not at all."""

from __future__ import annotations

import errno
import os
import stat
import threading
from pathlib import Path

import pytest

from client.files import append_durably, write_atomically
from client.verification import read_receipt
from executor.errors import ReceiptError, TooLarge
from executor.model_file import model_file
from executor.record import read_record
from primitives.files import check_place, read_at_most, whole_file, write_whole

ENDLESS = Path("/dev/zero")


def test_no_more_is_read_than_may_be_there(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"grain")
    assert read_at_most(path, 5) == b"grain" and read_at_most(path, 4) is None
    with pytest.raises(FileNotFoundError):
        read_at_most(tmp_path / "none", 5)


@pytest.mark.skipif(not ENDLESS.exists(), reason="no such device here")
def test_files_without_an_end_are_refused_by_name() -> None:
    """They say that their size is zero."""
    with pytest.raises(TooLarge, match="more than 67108864 bytes"):
        model_file(ENDLESS)
    for read in (read_receipt, read_record):
        with pytest.raises(ReceiptError, match="too large"):
            read(ENDLESS)


def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file"
    write_whole(path, b"old")

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="No space left") as caught:
            write_whole(path, b"new ones")
    assert str(caught.value) == f"[Errno {errno.ENOSPC}] No space left on device: '{path}'"
    assert path.read_bytes() == b"old" and list(tmp_path.iterdir()) == [path]


def test_a_place_that_cannot_be_is_named_as_the_user_named_it(tmp_path: Path) -> None:
    for place, error in ((tmp_path, IsADirectoryError), (tmp_path / "none" / "file", FileNotFoundError)):
        with pytest.raises(error) as caught:
            check_place(place)
        assert ".new" not in str(caught.value)
    with pytest.raises(FileNotFoundError) as missing:
        write_atomically(tmp_path / "none" / "file", b"")
    assert missing.value.filename == str(tmp_path / "none" / "file")


def test_links_stay_and_what_is_no_file_is_written_to(tmp_path: Path) -> None:
    real, link, pipe = tmp_path / "real", tmp_path / "link", tmp_path / "pipe"
    real.write_bytes(b"old")
    link.symlink_to(real)
    write_whole(link, b"new")
    assert link.is_symlink() and real.read_bytes() == b"new"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    write_whole(pipe, b"through")
    assert pipe.is_fifo() and os.read(reader, 100) == b"through"
    os.close(reader)
    with pytest.raises(IsADirectoryError) as caught:
        write_whole(tmp_path, b"")
    assert caught.value.filename == str(tmp_path)


def unfinished(path: Path) -> Path:
    """Where this thread writes first."""
    return path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident():x}.new")


def test_what_others_put_into_the_folder_is_not_followed(tmp_path: Path) -> None:
    """A link in the place of the unfinished file would have its target emptied and written; a file that its
    maker may read would hold the secret."""
    victim, path = tmp_path / "victim", tmp_path / "key"
    victim.write_bytes(b"precious")
    unfinished(path).symlink_to(victim)
    write_atomically(path, b"secret")
    assert victim.read_bytes() == b"precious" and not path.is_symlink() and path.read_bytes() == b"secret"
    unfinished(path).write_bytes(b"")
    unfinished(path).chmod(0o666)
    with unfinished(path).open("rb") as theirs:
        write_atomically(path, b"another")
        assert theirs.read() == b"" and path.read_bytes() == b"another"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600 and sorted(tmp_path.iterdir()) == [path, victim]


def test_a_file_that_was_closed_to_others_stays_so(tmp_path: Path) -> None:
    path = tmp_path / "weights.onnx"
    write_whole(path, b"old")
    path.chmod(0o600)
    write_whole(path, b"new")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.chmod(0o644)
    write_atomically(path, b"private")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_threads_that_write_one_file_each_write_a_whole_one(tmp_path: Path) -> None:
    """The second begins, and ends, while the first is half way."""
    path = tmp_path / "file"
    with whole_file(path) as file:
        file.write(b"first ")
        other = threading.Thread(target=write_whole, args=(path, b"second"))
        other.start()
        other.join()
        assert path.read_bytes() == b"second"
        file.write(b"to the end")
    assert path.read_bytes() == b"first to the end" and list(tmp_path.iterdir()) == [path]


def test_what_is_appended_is_appended_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the system takes a few bytes at a time, as on a disk that is nearly full."""
    real = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, data: real(descriptor, bytes(data)[:3]))
    append_durably(tmp_path / "journal", b"a whole line\n")
    append_durably(tmp_path / "journal", b"and another\n")
    assert (tmp_path / "journal").read_bytes() == b"a whole line\nand another\n"


def test_a_text_that_ends_early_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")
    with pytest.raises(ValueError, match="no more"), whole_file(path) as file:
        file.write(b"half")
        raise ValueError("no more")
    assert path.read_bytes() == b"old" and list(tmp_path.iterdir()) == [path]
