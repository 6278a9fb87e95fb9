"""Files that appear whole or not at all, also on a disk that is really full."""

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
from aver.execution.files import write_atomically, write_json, write_text


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


def test_place_that_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(StorageError, match="cannot be written"):
        write_text(tmp_path / "file" / "note.txt", "x")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_folder_without_permission(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(StorageError, match="cannot be written"):
            write_text(tmp_path / "note.txt", "x")
    finally:
        tmp_path.chmod(0o700)
