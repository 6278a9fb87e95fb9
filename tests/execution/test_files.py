"""Atomic files, the cache folder, and texts without absolute paths."""

from __future__ import annotations

import errno
import json
import os
import resource
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from aver.errors import StorageError
from aver.execution.files import (
    cache_root,
    command_without_folders,
    is_utf8,
    printable,
    without_folders,
    write_atomically,
    write_json,
    write_text,
)


def write_half(target: Path, error: BaseException) -> None:
    with write_atomically(target) as temporary:
        temporary.write_text("half")
        raise error


def test_file_appears_with_content_and_the_usual_rights(tmp_path: Path) -> None:
    target = tmp_path / "new" / "folder" / "note.txt"
    write_text(target, "é\n")
    assert target.read_bytes() == "é\n".encode()
    ordinary = tmp_path / "ordinary"
    ordinary.touch()
    assert stat.S_IMODE(target.stat().st_mode) == stat.S_IMODE(ordinary.stat().st_mode)


def test_json_is_readable_and_refuses_nan(tmp_path: Path) -> None:
    target = tmp_path / "facts.json"
    write_json(target, {"é": [1, 2.5, None]})
    assert json.loads(target.read_text(encoding="utf-8")) == {"é": [1, 2.5, None]}
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(target, {"loss": float("nan")})
    assert json.loads(target.read_text(encoding="utf-8")) == {"é": [1, 2.5, None]}


@pytest.mark.parametrize("error", [KeyboardInterrupt(), ValueError("x")])
def test_interruption_keeps_the_old_file_and_leaves_nothing(
    tmp_path: Path, error: BaseException
) -> None:
    target = tmp_path / "note.txt"
    target.write_text("old")
    with pytest.raises(type(error)):
        write_half(target, error)
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_full_disk_simulated(tmp_path: Path) -> None:
    target = tmp_path / "note.txt"
    with pytest.raises(StorageError, match="disk is full"):
        write_half(target, OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)))
    assert list(tmp_path.iterdir()) == []


def test_file_size_limit_of_the_system_leaves_nothing(tmp_path: Path) -> None:
    code = (
        "import sys, resource, signal\n"
        "from pathlib import Path\n"
        "from aver.execution.files import write_text\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))\n"
        "write_text(Path(sys.argv[1]), 'x' * 100_000)\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", code, tmp_path / "note.txt"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] != 4096
    assert "StorageError" in run.stderr
    assert list(tmp_path.iterdir()) == []


def test_parent_that_is_not_a_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(StorageError, match="cannot be written"):
        write_text(tmp_path / "file" / "note.txt", "x")


def test_a_pipe_is_not_replaced_by_a_file(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(StorageError, match="a device, a pipe or a socket"):
        write_text(pipe, "x")
    assert pipe.is_fifo()
    assert list(tmp_path.iterdir()) == [pipe]


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="there is no /proc")
def test_a_file_system_that_makes_no_folders() -> None:
    with pytest.raises(StorageError, match="cannot be written"):
        write_text(Path("/proc/aver/note.txt"), "x")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_folder_without_permission(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(StorageError, match="cannot be written"):
            write_text(tmp_path / "note.txt", "x")
    finally:
        tmp_path.chmod(0o700)


def test_the_chosen_cache_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("AVER_CACHE", str(tmp_path / "here"))
    assert cache_root() == tmp_path / "here"
    monkeypatch.setenv("AVER_CACHE", "~/there")
    assert cache_root() == Path.home() / "there"


def test_the_default_cache_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("AVER_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_root() == tmp_path / "aver"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert cache_root() == Path.home() / ".cache" / "aver"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("/home/ann/data/ravdess", "ravdess"),
        ("~/data/clips", "clips"),
        (r"C:\Users\Ann\clips\one.mp4", "one.mp4"),
        ("/home/ann", "ann"),
        ("", ""),
        ("runs/first", "runs/first"),
        ("mean and/or deviation, 3/4 of 1,200 clips", "mean and/or deviation, 3/4 of 1,200 clips"),
        ("https://example.org/a/b.html", "https://example.org/a/b.html"),
        ("<b>x</b>", "<b>x</b>"),
        ("train: fear/01.wav", "train: fear/01.wav"),
        ("/home/ann/a.mp4 is cut (see '/srv/x/log.txt').", "a.mp4 is cut (see 'log.txt')."),
        ("a: /home/ann/a\nb: [/srv/b/c, d/e]\n", "a: a\nb: [c, d/e]\n"),
    ],
)  # fmt: skip
def test_absolute_paths_become_names_and_all_else_stays(text: str, expected: str) -> None:
    assert without_folders(text) == expected


def test_values_within_values() -> None:
    found = without_folders({"a": ["/x/y/z", {"b": ("~/q", 1.5, None, True)}]})
    assert found == {"a": ["z", {"b": ["q", 1.5, None, True]}]}


def test_a_path_with_spaces_is_one_path_if_it_exists(tmp_path: Path) -> None:
    folder = tmp_path / "two words" / "my clips"
    folder.mkdir(parents=True)
    assert without_folders(str(folder)) == "my clips"


def test_a_command_keeps_its_options_and_quotes() -> None:
    command = (
        "aver evaluate --corpus '/home/ann/my clips' --init video=/srv/w/faces,audio=voices "
        "--corpus-settings 'pattern={speaker}/{emotion}_{take}.mp4' --out runs/first"
    )
    assert command_without_folders(command) == (
        "aver evaluate --corpus 'my clips' --init video=faces,audio=voices "
        "--corpus-settings 'pattern={speaker}/{emotion}_{take}.mp4' --out runs/first"
    )
    assert command_without_folders("it's at /home/ann/x") == "it's at x"


def test_a_full_disk_as_a_library_reports_it(tmp_path: Path) -> None:
    """safetensors raises an error of its own kind, with the number of the system's error."""
    with pytest.raises(StorageError, match="The disk is full"), write_atomically(tmp_path / "a"):
        raise RuntimeError(f"Error while serializing: I/O error (os error {errno.ENOSPC})")
    with pytest.raises(RuntimeError, match="other"), write_atomically(tmp_path / "a"):
        raise RuntimeError("other")
    assert list(tmp_path.iterdir()) == []


def test_without_a_home_folder_the_error_says_what_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AVER_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)

    def no_home() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", no_home)
    with pytest.raises(StorageError, match=r"AVER_CACHE .* --cache"):
        cache_root()


def test_names_that_are_no_text() -> None:
    name = os.fsdecode(b"g\xfcnter.mp4")
    assert not is_utf8(name)
    assert printable(name) == r"g\xfcnter.mp4"
    assert printable("günter.mp4") == "günter.mp4"
