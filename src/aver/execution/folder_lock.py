"""`writes_alone`: of several processes, one at a time writes a folder."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from aver.errors import SettingsError

LOCK_NAME = ".in-use"


@contextmanager
def writes_alone(folder: Path) -> Iterator[None]:
    """Refuse to write a folder that another process of this user or machine is writing.

    The lock ends with the process, however it ends. Processes that it starts do not hold it. File
    systems without locks, and Windows, do not refuse.

    Parameters
    ----------
    folder : Path
        It is created if it does not exist.

    Raises
    ------
    SettingsError
        If another process is writing the folder.
    """
    try:
        import fcntl
    except ImportError:  # Windows
        yield
        return
    folder.mkdir(parents=True, exist_ok=True)
    lock = folder / LOCK_NAME
    handle = os.open(lock, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        try:
            fcntl.lockf(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except (BlockingIOError, PermissionError):
            raise SettingsError(
                f"Another command is writing {folder}. Wait until it has finished, or choose "
                "another folder with --out."
            ) from None
        except OSError:  # a file system without locks
            pass
        try:
            yield
        finally:
            with suppress(OSError):
                lock.unlink()
    finally:
        os.close(handle)
