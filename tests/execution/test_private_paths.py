"""Folders of a machine stay on it."""

from __future__ import annotations

from pathlib import Path

import pytest

from aver.execution.files import command_without_folders, without_folders


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


def test_a_path_with_spaces_is_one_path_where_it_exists(tmp_path: Path) -> None:
    folder = tmp_path / "two words" / "my clips"
    folder.mkdir(parents=True)
    assert without_folders(str(folder)) == "my clips"


def test_a_command_keeps_its_words_and_its_quotes() -> None:
    command = (
        "aver evaluate --corpus '/home/ann/my clips' --init visual=/srv/w/faces,audio=voices "
        "--corpus-settings 'pattern={speaker}/{emotion}_{take}.mp4' --out runs/first"
    )
    assert command_without_folders(command) == (
        "aver evaluate --corpus 'my clips' --init visual=faces,audio=voices "
        "--corpus-settings 'pattern={speaker}/{emotion}_{take}.mp4' --out runs/first"
    )
    assert command_without_folders("it's at /home/ann/x") == "it's at x"
