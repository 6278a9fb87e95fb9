"""Errors inside the work on one clip."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pytest

from aver.errors import CorpusError, MediaError
from aver.execution.clip_work import clip_work, reading


def work(error: BaseException) -> None:
    with clip_work("a.mp4"):
        raise error


@pytest.mark.parametrize(
    "error",
    [ValueError("negative\ndimensions."), MemoryError(), PermissionError(13, "Permission denied")],
)
def test_errors_of_libraries_are_one_sentence_about_the_clip(error: Exception) -> None:
    with pytest.raises(MediaError) as caught:
        work(error)
    text = str(caught.value)
    assert text.startswith(f"a.mp4 cannot be processed ({type(error).__name__}")
    assert text.endswith(". Check the file; --debug shows where.")
    assert "\n" not in text
    assert caught.value.__cause__ is error


def test_a_real_error_of_a_library() -> None:
    with pytest.raises(MediaError, match="LinAlgError: Singular matrix"), clip_work("a.mp4"):
        np.linalg.inv(np.zeros((2, 2)))


@pytest.mark.parametrize("error", [CorpusError("Ours."), KeyboardInterrupt(), SystemExit(3)])
def test_errors_of_aver_and_interruptions_stay(error: BaseException) -> None:
    with pytest.raises(type(error)) as caught:
        work(error)
    assert caught.value is error


def test_the_traceback_is_kept_for_debugging(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, "aver"), pytest.raises(MediaError):
        work(ValueError("x"))
    assert caplog.records[0].exc_info is not None


@pytest.mark.parametrize(
    "error", [KeyError("fold"), RecursionError(), UnicodeDecodeError("utf-8", b"\xff", 0, 1, "no")]
)
def test_whatever_a_damaged_file_causes_is_an_error_about_it(error: Exception) -> None:
    with pytest.raises(CorpusError) as caught, reading("run/fold.json", CorpusError):
        raise error
    assert str(caught.value).startswith(f"run/fold.json cannot be read ({type(error).__name__}")
    assert caught.value.__cause__ is error


def test_a_file_that_cannot_be_read_is_named_with_the_reason(tmp_path: Path) -> None:
    match = r"^x cannot be read: Is a directory\.$"
    with pytest.raises(CorpusError, match=match), reading("x", CorpusError):
        tmp_path.read_text()


@pytest.mark.parametrize("error", [MediaError("Ours."), KeyboardInterrupt()])
def test_errors_of_aver_while_reading_stay(error: BaseException) -> None:
    with pytest.raises(type(error)) as caught, reading("x", CorpusError):
        raise error
    assert caught.value is error
