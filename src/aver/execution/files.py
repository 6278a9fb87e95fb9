"""What leaves this machine names files, not the folders that they lie in."""

from __future__ import annotations

import errno
import json
import os
import re
import shlex
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath, PureWindowsPath
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


def cache_root() -> Path:
    """Folder of caches: ``$AVER_CACHE``, else ``aver`` in the user's cache folder."""
    chosen = os.environ.get("AVER_CACHE")
    if chosen:
        return Path(chosen).expanduser()
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "aver"


_FOLDERS = re.compile(
    r"""(?<![\w.:/\\~<>})\]*])            # no part of a relative path, an address or a tag
        (?:~[\w.-]*|[A-Za-z]:)?[/\\]    # of this machine: of the root, of a user, of a drive
        (?:[^/\\\s'"`,;()]+[/\\])*      # folders, which go
        (?=[^/\\\s'"`,;()]*\w)          # the name, which stays""",
    re.VERBOSE,
)


def without_folders(value: Any) -> Any:
    r"""The value with every absolute path cut down to its last name.

    Parameters
    ----------
    value : JSON value
        Mappings and lists are gone through; a text may hold paths among other words.

    Returns
    -------
    JSON value
        Of the same shape.

    Examples
    --------
    >>> without_folders({"corpus": "/home/ann/data/my clips", "epochs": 3})
    {'corpus': 'my clips', 'epochs': 3}
    >>> without_folders("There is no corpus at /home/ann/data/ravdess: the path does not exist.")
    'There is no corpus at ravdess: the path does not exist.'
    """
    if isinstance(value, str):
        whole = is_private(value) and (" " not in value or Path(value).expanduser().exists())
        return bare_name(value) if whole else _FOLDERS.sub("", value)
    if isinstance(value, Mapping):
        return {key: without_folders(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [without_folders(entry) for entry in value]
    return value


def command_without_folders(command: str) -> str:
    """A command line with every absolute path cut down to its last name.

    Examples
    --------
    >>> command_without_folders("aver train --corpus '/home/ann/my clips' --set a.weights=/x/y.pt")
    "aver train --corpus 'my clips' --set a.weights=y.pt"
    """
    try:
        words = shlex.split(command)
    except ValueError:  # an open quotation mark: no command of ours
        return str(without_folders(command))
    return shlex.join(_word(word) for word in words)


def is_private(text: str) -> bool:
    """Whether the whole text is a path that begins at this machine's or a user's root."""
    return "\n" not in text and (text.startswith(("/", "~")) or PureWindowsPath(text).is_absolute())


def bare_name(path: str) -> str:
    r"""The last name of a path of any system; a root has none.

    Examples
    --------
    >>> bare_name("/home/ann/clips/"), bare_name(r"C:\Users\Ann\clips"), bare_name("/")
    ('clips', 'clips', '')
    """
    kind = PurePosixPath if path.startswith(("/", "~")) else PureWindowsPath
    return kind(path).name


def _word(word: str) -> str:
    """One word of a command: values behind ``=`` and between commas may be paths."""
    parts = [part.rpartition("=") for part in word.split(",")]
    return ",".join(
        key + equals + (bare_name(value) if is_private(value) else str(without_folders(value)))
        for key, equals, value in parts
    )
