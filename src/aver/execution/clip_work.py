"""`clip_work`, `reading`: whatever goes wrong with a clip or a file is an error about it."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from aver.errors import AverError, MediaError


@contextmanager
def clip_work(clip: Path | str) -> Iterator[None]:
    """Turn the errors of libraries into errors about one clip.

    Used around the work on each clip, so that commands list the clip and go on with the others.
    With ``--debug`` the traceback is logged.

    Parameters
    ----------
    clip : Path or str
        Its file or id, for the message.

    Raises
    ------
    AverError
        As it was raised.
    MediaError
        In place of any other exception.

    Examples
    --------
    >>> with clip_work("a.mp4"):  # doctest: +ELLIPSIS
    ...     raise ValueError("negative dimensions")
    Traceback (most recent call last):
    aver.errors.MediaError: a.mp4 cannot be processed (ValueError: negative dimensions). Check...
    """
    try:
        yield
    except AverError:
        raise
    except Exception as error:
        logging.getLogger("aver").debug("%s", clip, exc_info=True)
        raise MediaError(
            f"{clip} cannot be processed ({_found(error)}). Check the file; --debug shows where."
        ) from error


@contextmanager
def reading(path: Path | str, kind: type[AverError]) -> Iterator[None]:
    """Turn whatever a damaged file or folder causes into an error about it.

    Used around the work that reads a file of settings or results and uses its values. Such a file
    can hold anything: another encoding, values of other types, a thousand brackets.

    Parameters
    ----------
    path : Path or str
        For the message.
    kind : type of AverError
        Of the error.

    Raises
    ------
    AverError
        As it was raised, or of this kind in place of any other exception.

    Examples
    --------
    >>> from aver.errors import SettingsError
    >>> with reading("run/fold.json", SettingsError):  # doctest: +ELLIPSIS
    ...     {"seed": 0}["fold"]
    Traceback (most recent call last):
    aver.errors.SettingsError: run/fold.json cannot be read (KeyError: 'fold'). It is damaged or...
    """
    try:
        yield
    except AverError:
        raise
    except OSError as error:
        raise kind(f"{path} cannot be read: {error.strerror or error}.") from error
    except Exception as error:
        raise kind(
            f"{path} cannot be read ({_found(error)}). It is damaged or was changed; copy it or "
            "make it again. --debug shows where."
        ) from error


def _found(error: Exception) -> str:
    reason = " ".join(str(error).split()).rstrip(".")
    return f"{type(error).__name__}: {reason}" if reason else type(error).__name__
