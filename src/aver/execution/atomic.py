"""Files that appear whole or not at all."""

from __future__ import annotations

import errno
import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from aver.errors import StorageError

_NO_PLACE = {
    *(errno.EACCES, errno.EPERM, errno.EROFS, errno.EDQUOT, errno.EFBIG),
    *(errno.ENOTDIR, errno.EEXIST, errno.EISDIR, errno.ENAMETOOLONG, errno.EIO),
}


@contextmanager
def write_atomically(target: Path) -> Iterator[Path]:
    """Give out a temporary path beside `target` and rename it into place on success.

    Parameters
    ----------
    target : Path
        Final place; its folder is made where missing.

    Yields
    ------
    Path
        Write here. After an error or Ctrl-C nothing is left behind and `target` is untouched.

    Raises
    ------
    StorageError
        If the disk is full or the place cannot be written.
    """
    temporary: Path | None = None
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(
            dir=target.parent, prefix=f".{target.stem}-", suffix=target.suffix
        )
        os.close(handle)
        temporary = Path(name)
        yield temporary
        temporary.chmod(0o666 & ~_umask())
        temporary.replace(target)
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise StorageError(
                f"The disk is full: {target} was not written. Free some space, or choose another "
                "folder; what was finished before is kept."
            ) from error
        if error.errno in _NO_PLACE:
            raise StorageError(f"{target} cannot be written: {error.strerror}.") from error
        raise
    finally:
        if temporary is not None:
            with suppress(FileNotFoundError):
                temporary.unlink()


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def write_text(target: Path, text: str) -> None:
    """Write UTF-8 text atomically."""
    with write_atomically(target) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(target: Path, value: Any) -> None:
    """Write JSON that a person can read, atomically."""
    write_text(target, json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n")
