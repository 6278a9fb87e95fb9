"""Action units from tables of clip means, from folders of tracks, and beside the clip."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from aver.corpora.clip import Clip
from aver.errors import FeatureError, MediaError
from aver.features.action_units import ActionUnits
from aver.features.unit_statistics import UnitStatistics


def clip(clip_id: str = "one", units: Path | None = None, aliases: tuple[str, ...] = ()) -> Clip:
    return Clip(clip_id, "speaker", None, units=units, aliases=aliases)


def test_clip_means_of_the_real_table(data_root: Path) -> None:
    path = data_root / "ravdess-au" / "clip_action_units.csv"
    with path.open() as file:
        row = next(row for row in csv.DictReader(file) if row["clip"] == "01-01-03-02-02-01-07")
    record = ActionUnits(path).extract(clip("01-03-02-02-01-07", aliases=(row["clip"],)))
    expected = [float(value) for name, value in row.items() if name.startswith("AU")]
    assert record.arrays["units"].shape == (1, 35)
    assert np.allclose(record.arrays["units"][0], expected)
    assert record.coverage == 1.0


def test_tracks_of_the_real_folder(data_root: Path) -> None:
    folder = data_root / "ravdess-au" / "tracks"
    feature = ActionUnits(str(folder))  # type: ignore[arg-type]
    record = feature.extract(clip("x", aliases=("01-01-01-01-01-01-01",)))
    table = np.loadtxt(folder / "Actor_01" / "01-01-01-01-01-01-01.csv", delimiter=";", skiprows=1)
    assert np.allclose(record.arrays["units"], table)
    statistics = UnitStatistics(folder).extract(clip("x", aliases=("01-01-01-01-01-01-01",)))
    assert np.allclose(
        statistics.arrays["statistics"], [*table.mean(0), *table.std(0)], rtol=1e-5, atol=1e-6
    )
    assert feature.extract(clip("unknown")).missing == "no action units"


def test_own_table_skips_frames_without_a_face(tmp_path: Path) -> None:
    path = tmp_path / "track.csv"
    path.write_text(
        "frame, timestamp, success, AU01_r, AU02_r\n"
        "1, 0.0, 1, 0.5, 1.5\n2, 0.04, 0, 9, 9\n3, 0.08, 1, , 2\n4, 0.12, 1, 1.5, 2.5\n"
    )
    record = ActionUnits().extract(clip(units=path))
    assert record.arrays["units"].tolist() == [[0.5, 1.5], [1.5, 2.5]]
    assert record.arrays["units"].dtype == np.float32
    assert record.coverage == 0.5


def test_absent_without_table_row_or_face(tmp_path: Path) -> None:
    assert ActionUnits().extract(clip()).missing == "no action units"
    means = tmp_path / "means.csv"
    means.write_text("clip,AU01_r\none,\ntwo,1.0\n")
    assert ActionUnits(means).extract(clip("three")).missing == "no action units"
    assert ActionUnits(means).extract(clip("one")).missing == "no face in the action units"
    assert ActionUnits(means).extract(clip("two")).arrays["units"].tolist() == [[1.0]]
    assert UnitStatistics(means).extract(clip("two")).arrays["statistics"].tolist() == [1.0]
    assert UnitStatistics(means).extract(clip("one")).missing == "no face in the action units"


def test_changed_table_is_read_again(tmp_path: Path) -> None:
    means = tmp_path / "means.csv"
    means.write_text("clip,AU01_r\none,1.0\n")
    assert ActionUnits(means).extract(clip()).arrays["units"].item() == 1.0
    means.write_text("clip,AU01_r\none,2.25\n")
    assert ActionUnits(means).extract(clip()).arrays["units"].item() == 2.25


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "no column is named AU"),
        ("clip,pitch\none,1\n", "no column is named AU"),
        ("clip,AU01_r,AU02_r\none,1\n", "Row 2"),
        ("clip,AU01_r\none,much\n", "Row 2 .* no number"),
        ("clip,AU01_r\none,1\none,2\n", "twice"),
    ],
)
def test_table_that_is_none_names_itself(tmp_path: Path, text: str, what: str) -> None:
    means = tmp_path / "means.csv"
    means.write_text(text)
    with pytest.raises(FeatureError, match=rf"(?s){what}") as raised:
        ActionUnits(means).extract(clip())
    assert "means.csv" in str(raised.value)


def test_missing_files(tmp_path: Path) -> None:
    with pytest.raises(FeatureError, match="There are no action units at"):
        ActionUnits(tmp_path / "nowhere.csv").extract(clip())
    with pytest.raises(MediaError, match="cannot be read"):
        ActionUnits().extract(clip(units=tmp_path / "gone.csv"))


def test_key_ignores_where_the_table_lies() -> None:
    assert ActionUnits(Path("a.csv")).key == ActionUnits(Path("b.csv")).key
    assert ActionUnits(Path("a.csv")).settings() == {"path": "a.csv"}
