"""Atomic files, walks through folders, the cache folder, and texts without absolute paths."""

from __future__ import annotations

import errno
import json
import os
import re
import shlex
import tempfile
import unicodedata
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

from aver.errors import StorageError

_NOT_WRITABLE = {
    *(errno.EACCES, errno.EPERM, errno.EROFS, errno.EDQUOT, errno.EFBIG),
    *(errno.ENOTDIR, errno.EEXIST, errno.EISDIR, errno.ENAMETOOLONG, errno.EIO),
}


def _full(target: Path) -> StorageError:
    other = _elsewhere(target) or "choose another folder."
    return StorageError(
        f"The disk is full: {target} was not written. Free some space, or "
        f"{other[0].lower()}{other[1:]} Files that were finished before are kept."
    )


@contextmanager
def write_atomically(target: Path, *, private: bool = False) -> Iterator[Path]:
    """Yield a temporary path beside `target`, and rename it to `target` on success.

    Parameters
    ----------
    target : Path
        Final path; missing folders are made.
    private : bool
        Only the user may read the file (mode 0600), whatever the umask is.

    Yields
    ------
    Path
        Write here. After an error or Ctrl-C the temporary file is removed and `target` is
        unchanged.

    Raises
    ------
    StorageError
        If the disk is full, the file cannot be written, or `target` is a device, a pipe or a
        socket, which a renamed file would replace.
    """
    temporary: Path | None = None
    try:
        temporary = _beside(target)
        yield temporary
        temporary.chmod(0o600 if private else 0o666 & ~_umask())
        temporary.replace(target)
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise _full(target) from error
        if error.errno in _NOT_WRITABLE:
            raise StorageError(
                f"{target} cannot be written: {error.strerror}. {_elsewhere(target)}".rstrip()
            ) from error
        raise
    except Exception as error:
        if f"os error {errno.ENOSPC}" in str(error):  # as safetensors reports it
            raise _full(target) from error
        raise
    finally:
        if temporary is not None:
            with suppress(FileNotFoundError):
                temporary.unlink()


def _beside(target: Path) -> Path:
    """A new, empty file in the folder of `target`, which is made if it is missing."""
    if target.exists() and not (target.is_file() or target.is_dir()):
        raise StorageError(
            f"{target} is a device, a pipe or a socket. Give the path of an ordinary file."
        )
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(
            dir=target.parent, prefix=f".{target.stem}-", suffix=target.suffix
        )
    except FileNotFoundError as error:  # a file system that makes no folders, such as /proc
        raise StorageError(
            f"{target} cannot be written: {error.strerror}. {_elsewhere(target)}".rstrip()
        ) from error
    os.close(handle)
    return Path(name)


def _elsewhere(target: Path) -> str:
    """What to do if a file of the cache cannot be written."""
    with suppress(StorageError):
        if not target.is_relative_to(cache_root()):
            return ""
    return "Set AVER_CACHE, or --cache, to a folder that can be written."


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def write_text(target: Path, text: str) -> None:
    """Write UTF-8 text atomically."""
    with write_atomically(target) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(target: Path, value: Any) -> None:
    """Write indented JSON atomically."""
    write_text(target, json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def cache_root() -> Path:
    """Folder of caches: ``$AVER_CACHE``, by default ``aver`` in the user's cache folder.

    Raises
    ------
    StorageError
        If there is no home folder, as in some containers.
    """
    chosen = os.environ.get("AVER_CACHE")
    if chosen:
        return Path(chosen).expanduser()
    base = os.environ.get("XDG_CACHE_HOME")
    try:
        return (Path(base) if base else Path.home() / ".cache") / "aver"
    except RuntimeError:
        raise StorageError(
            "There is no home folder for the cache. Set the environment variable AVER_CACHE to a "
            "folder that can be written, or give one with --cache."
        ) from None


_FOLDERS = re.compile(
    r"""(?<![\w.:/\\~<>})\]*])            # not inside a relative path, a URL or a tag
        (?:~[\w.-]*|[A-Za-z]:)?[/\\]    # absolute: of the root, a user or a drive
        (?:[^/\\\s'"`,;()]+[/\\])*      # folders, which are removed
        (?=[^/\\\s'"`,;()]*\w)          # the name, which remains""",
    re.VERBOSE,
)


def without_folders(value: Any) -> Any:
    r"""The value with every absolute path replaced by its last name.

    Parameters
    ----------
    value : JSON value
        Mappings and lists are searched too; a text may contain paths among other words.

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
        whole = _is_absolute(value) and (" " not in value or Path(value).expanduser().exists())
        return last_name(value) if whole else _FOLDERS.sub("", value)
    if isinstance(value, Mapping):
        return {key: without_folders(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [without_folders(entry) for entry in value]
    return value


def command_without_folders(command: str) -> str:
    """A command line with every absolute path replaced by its last name.

    Examples
    --------
    >>> command_without_folders("aver train --corpus '/home/ann/my clips' --set a.weights=/x/y.pt")
    "aver train --corpus 'my clips' --set a.weights=y.pt"
    """
    try:
        words = shlex.split(command)
    except ValueError:  # an open quotation mark: not a command line
        return str(without_folders(command))
    return shlex.join(_word(word) for word in words)


def _is_absolute(text: str) -> bool:
    """Whether the whole text is an absolute path or a path in a home folder."""
    return "\n" not in text and (text.startswith(("/", "~")) or PureWindowsPath(text).is_absolute())


def last_name(path: str) -> str:
    r"""The last name of a path of any operating system; a root has none.

    Examples
    --------
    >>> last_name("/home/ann/clips/"), last_name(r"C:\Users\Ann\clips"), last_name("/")
    ('clips', 'clips', '')
    """
    kind = PurePosixPath if path.startswith(("/", "~")) else PureWindowsPath
    return kind(path).name


def _word(word: str) -> str:
    """One word of a command: values after ``=`` and between commas may be paths."""
    parts = [part.rpartition("=") for part in word.split(",")]
    return ",".join(
        key + equals + (last_name(value) if _is_absolute(value) else str(without_folders(value)))
        for key, equals, value in parts
    )


def is_utf8(name: str) -> bool:
    """Whether the name of a file is text; on Linux it may be any bytes."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def is_zip(path: Path) -> bool:
    """Whether a file begins as a zip archive does; False if it cannot be read."""
    try:
        with path.open("rb") as handle:
            return handle.read(4) in (b"PK\x03\x04", b"PK\x05\x06")  # the latter if it is empty
    except OSError:
        return False


def printable(name: str) -> str:
    r"""The name of a file as text that is safe to print.

    Bytes that are no text become escapes; so do control characters, which can recolor a terminal or
    hide a line, and marks that reverse the direction of writing. Accents are composed (`composed`).

    Examples
    --------
    >>> print(printable(os.fsdecode(bytes([71, 0xfc]) + b"nter.mp4")))
    G\xfcnter.mp4
    >>> print(printable("\x1b[2Ja.mp4"))
    \x1b[2Ja.mp4
    """
    text = name if is_utf8(name) else os.fsencode(name).decode(errors="backslashreplace")
    return _UNSAFE.sub(_escape, composed(text))


# Control characters (C0, C1), line separators, and marks of direction (Unicode TR 9 and TR 36).
_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


def _escape(found: re.Match[str]) -> str:
    return found.group().encode("unicode_escape").decode()


def composed(text: str) -> str:
    r"""The text with accents composed (NFC), as names are compared.

    The same name may be one code point or two, depending on the system that wrote it; macOS
    decomposes the names of files.

    Examples
    --------
    >>> len("e\N{COMBINING ACUTE ACCENT}"), len(composed("e\N{COMBINING ACUTE ACCENT}"))
    (2, 1)
    """
    return unicodedata.normalize("NFC", text)


def find_spelled(path: Path) -> Path:
    """The path as the folders spell it, if only the composition of accents differs.

    Parameters
    ----------
    path : Path

    Returns
    -------
    Path
        `path` itself if it exists, or if nothing of that name does.
    """
    if path.exists() or path == path.parent:
        return path
    folder = find_spelled(path.parent)
    if (folder / path.name).exists():
        return folder / path.name
    with suppress(OSError):
        for entry in folder.iterdir():
            if composed(entry.name) == composed(path.name):
                return entry
    return path


def walk_files(
    root: Path, unopened: Callable[[Path, OSError], None] | None = None
) -> Iterator[Path]:
    """All visible files below a folder, each once, whatever links lead to it.

    Folders and files come before links to them, so that a file that is linked to from another
    folder counts where it lies. Links that lead back up end there.

    Parameters
    ----------
    root : Path
        Hidden files and folders are skipped.
    unopened : callable, optional
        Called with each folder that cannot be opened and the reason.

    Yields
    ------
    Path
        In no particular order.
    """
    seen: set[tuple[int, int]] = set()

    def is_new(path: Path) -> bool:
        try:
            status = path.stat()
        except OSError:
            return True  # a broken link: whoever reads it says so
        identity = (status.st_dev, status.st_ino)
        if not status.st_ino or identity not in seen:  # some file systems number no files
            seen.add(identity)
            return True
        return False

    folders, links = deque([root]), deque[Path]()
    while folders or links:
        path = folders.popleft() if folders else links.popleft()
        if not is_new(path):
            continue
        if not path.is_dir():
            yield path
            continue
        try:
            with os.scandir(path) as entries:
                names = sorted((e.name, e.is_symlink(), e.is_dir()) for e in entries)
        except OSError as error:
            if unopened is not None:
                unopened(path, error)
            continue
        for name, is_link, is_folder in names:
            if name.startswith("."):
                continue
            if is_link:
                links.append(path / name)
            elif is_folder:
                folders.append(path / name)
            elif is_new(path / name):
                yield path / name
