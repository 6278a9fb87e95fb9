"""Action units from tables of clip means and from tracks of frames."""

from __future__ import annotations

import csv
import warnings
from pathlib import Path

import numpy as np
import pytest

from aver.corpora.clip import Clip
from aver.corpora.corpus import Corpus
from aver.corpora.user_files import attach_action_units
from aver.errors import CorpusError, FeatureError, MediaError
from aver.features.action_units import ActionUnitFunctionals, ActionUnits


def clip(path: Path | None = None, row: str = "") -> Clip:
    return Clip("one", "speaker", None, action_units=path, action_units_row=row)


def attached(path: Path, *names: str) -> Clip:
    """The clip of these names, with the units that a table or folder holds for it."""
    corpus = Corpus("x", Path(), (Clip(names[0], "speaker", None, aliases=names[1:]),))
    return attach_action_units(corpus, path).clips[0]


def test_clip_means_of_the_real_table(data_root: Path) -> None:
    path = data_root / "ravdess-au" / "clip_action_units.csv"
    with path.open() as file:
        row = next(row for row in csv.DictReader(file) if row["clip"] == "01-01-03-02-02-01-07")
    record = ActionUnits().extract(attached(path, "01-03-02-02-01-07", row["clip"]))
    expected = [float(value) for name, value in row.items() if name.startswith("AU")]
    assert record.arrays["units"].shape == (1, 35)
    assert np.allclose(record.arrays["units"][0], expected)
    assert record.coverage == 1.0


def test_tracks_of_the_real_folder(data_root: Path) -> None:
    folder = data_root / "ravdess-au" / "tracks"
    found = attached(folder, "x", "01-01-01-01-01-01-01")
    record = ActionUnits().extract(found)
    table = np.loadtxt(folder / "Actor_01" / "01-01-01-01-01-01-01.csv", delimiter=";", skiprows=1)
    assert np.allclose(record.arrays["units"], table)
    statistics = ActionUnitFunctionals().extract(found)
    assert np.allclose(
        statistics.arrays["statistics"], [*table.mean(0), *table.std(0)], rtol=1e-5, atol=1e-6
    )


def test_units_that_fit_no_clip_are_an_error(tmp_path: Path) -> None:
    table = tmp_path / "means.csv"
    table.write_text("clip,AU01_r\nthree,1.0\n")
    with pytest.raises(CorpusError, match="'three'"):
        attached(table, "one", "two")
    with pytest.raises(CorpusError, match="There are no action units at"):
        attached(tmp_path / "nowhere.csv", "one")


def test_frames_without_a_face_are_skipped(tmp_path: Path) -> None:
    path = tmp_path / "track.csv"
    path.write_text(
        "frame, timestamp, success, AU01_r, AU02_r\n"
        "1, 0.0, 1, 0.5, 1.5\n2, 0.04, 0, 9, 9\n3, 0.08, 1, , 2\n4, 0.12, 1, 1.5, 2.5\n"
    )
    record = ActionUnits().extract(clip(path))
    assert record.arrays["units"].tolist() == [[0.5, 1.5], [1.5, 2.5]]
    assert record.arrays["units"].dtype == np.float32
    assert record.coverage == 0.5


def test_absent_without_table_row_or_face(tmp_path: Path) -> None:
    assert ActionUnits().extract(clip()).missing == "no action units"
    means = tmp_path / "means.csv"
    means.write_text("clip,AU01_r\none,\ntwo,1.0\n")
    assert ActionUnits().extract(clip(means, "three")).missing == "no action units"
    assert ActionUnits().extract(clip(means, "one")).missing == "no face in the action units"
    assert ActionUnits().extract(clip(means, "two")).arrays["units"].tolist() == [[1.0]]
    assert ActionUnitFunctionals().extract(clip(means, "two")).arrays["statistics"].tolist() == [
        1.0
    ]
    assert (
        ActionUnitFunctionals().extract(clip(means, "one")).missing == "no face in the action units"
    )


def test_a_track_of_one_frame_still_has_a_std(tmp_path: Path) -> None:
    path = tmp_path / "track.csv"
    path.write_text("AU01_r,AU02_r\n0.5,1.5\n")
    assert ActionUnitFunctionals().extract(clip(path)).arrays["statistics"].tolist() == [
        0.5,
        1.5,
        0,
        0,
    ]


def test_changed_table_is_read_again(tmp_path: Path) -> None:
    means = tmp_path / "means.csv"
    means.write_text("clip,AU01_r\none,1.0\n")
    assert ActionUnits().extract(clip(means, "one")).arrays["units"].item() == 1.0
    means.write_text("clip,AU01_r\none,2.25\n")
    assert ActionUnits().extract(clip(means, "one")).arrays["units"].item() == 2.25


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "no column name starts with AU"),
        ("clip,pitch\none,1\n", "no column name starts with AU"),
        ("clip,AU01_r,AU02_r\none,1\n", "Row 2"),
        ("clip,AU01_r\none,much\n", "Row 2 .* not a number"),
        ("clip,AU01_r\none,1\none,2\n", "twice"),
    ],
)
def test_errors_of_a_table_name_the_file(tmp_path: Path, text: str, what: str) -> None:
    means = tmp_path / "means.csv"
    means.write_text(text)
    with pytest.raises(FeatureError, match=rf"(?s){what}") as raised:
        ActionUnits().extract(clip(means, "one"))
    assert "means.csv" in str(raised.value)


def test_missing_file() -> None:
    with pytest.raises(MediaError, match="cannot be read"):
        ActionUnits().extract(clip(Path("gone.csv")))


@pytest.mark.parametrize(
    "cell",
    [
        "",
        "nan",
        "-nan",
        "NaN",
        "-nan(ind)",
        "nan(snan)",
        "1.#IND",
        "-1.#IND000",
        "1.#QNAN",
        "1.#INF",
    ]
    + ["NA", "N/A", "#N/A", "<NA>", "null", "None", "inf", "-Infinity", "-", "#NUM!", "#DIV/0!"],
)
def test_spellings_of_no_number_are_frames_without_a_face(cell: str, tmp_path: Path) -> None:
    path = tmp_path / "track.csv"
    path.write_text(f"frame,AU01_r,AU02_r\n1,0.5,1\n2,{cell},1\n")
    record = ActionUnits().extract(clip(path))
    assert record.arrays["units"].tolist() == [[0.5, 1.0]]
    assert record.coverage == 0.5


def test_a_number_too_large_for_the_feature_is_no_number(tmp_path: Path) -> None:
    path = tmp_path / "track.csv"
    path.write_text("frame,AU01_r,AU02_r\n1,0.5,1\n2,1e308,1\n")
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # of an overflow
        assert ActionUnits().extract(clip(path)).arrays["units"].tolist() == [[0.5, 1.0]]


def test_words_in_a_table_of_units_are_errors(tmp_path: Path) -> None:
    path = tmp_path / "track.csv"
    path.write_text("frame,AU01_r\n1,much\n")
    with pytest.raises(FeatureError, match=r"Row 2 .*much"):
        ActionUnits().extract(clip(path))


@pytest.mark.parametrize("separator", [";", "\t"])
def test_decimal_commas(separator: str, tmp_path: Path) -> None:
    path = tmp_path / "track.csv"
    path.write_text(f"frame{separator}AU01_r\n1{separator}0,25\n", encoding="utf-8-sig")
    assert ActionUnits().extract(clip(path)).arrays["units"].tolist() == [[0.25]]


def test_the_face_of_most_frames_is_read(tmp_path: Path) -> None:
    path = tmp_path / "track.csv"
    path.write_text(
        "frame,face_id,success,AU01_r\n1,0,1,9\n1,1,1,1\n2,1,1,2\n3,0,0,9\n3,1,1,3\n4,0,0,9\n"
    )
    record = ActionUnits().extract(clip(path))
    assert record.arrays["units"].ravel().tolist() == [1, 2, 3]
    assert record.coverage == 0.75  # 3 of the 4 frames
    assert record.flags == ("several faces",)
    assert ActionUnitFunctionals().extract(clip(path)).flags == ("several faces",)


def test_one_face_with_an_id_needs_no_flag(tmp_path: Path) -> None:
    path = tmp_path / "track.csv"
    path.write_text("frame,face_id,AU01_r\n1,0,1\n2,0,2\n")
    assert ActionUnits().extract(clip(path)).flags == ()
