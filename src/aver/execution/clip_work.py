"""`clip_work`: whatever goes wrong inside one clip's work is an error about that clip."""

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
        reason = " ".join(str(error).split()).rstrip(".")
        found = f"{type(error).__name__}: {reason}" if reason else type(error).__name__
        raise MediaError(
            f"{clip} cannot be processed ({found}). Check the file; --debug shows where."
        ) from error
