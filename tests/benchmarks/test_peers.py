"""The comparison with other packages: frames, restriction, means, table; without the packages."""

from __future__ import annotations

import doctest
from pathlib import Path

import compare
import frames
import numpy as np
import peer_predict
import pytest

from aver.corpora.clip import Clip
from aver.corpora.corpus import Corpus
from aver.errors import SettingsError
from aver.features.face_crops import FaceCrops
from aver.features.store import FeatureStore
from aver.media.main_face import track_faces
from aver.models.base.prediction import Prediction

EMOTIONS = ("neutral", "happy", "sad", "angry")


def corpus_of(labels: str) -> Corpus:
    """Four clips of each of two actors; `labels` has the first letters of their emotions."""
    by_letter = {name[0]: name for name in EMOTIONS}
    clips = (
        Clip(f"{actor}-{place}", actor, by_letter[letter])
        for actor in ("03", "04")
        for place, letter in enumerate(labels)
    )
    return Corpus("drawn", Path("drawn"), tuple(clips))


def test_the_examples_of_the_docstrings_hold() -> None:
    for module in (compare, frames, peer_predict):
        result = doctest.testmod(module)
        assert result.attempted > 0
        assert result.failed == 0


def test_restriction_is_the_conditional_probability() -> None:
    """p(c | c is kept) = p(c) / p(kept), in the order of the kept classes."""
    classes = (*EMOTIONS, "disgust")
    drawn = np.random.default_rng(0).dirichlet(np.ones(5), size=20)
    kept = ("sad", "neutral")
    found = compare.restrict(drawn, classes, kept)
    expected = drawn[:, [2, 0]] / (1 - drawn[:, [1, 3, 4]].sum(axis=1, keepdims=True))
    np.testing.assert_allclose(found, expected)


def test_restriction_without_any_kept_probability_is_uniform() -> None:
    found = compare.restrict(
        np.array([[0.0, 0.0, 1.0]]), ("happy", "sad", "disgust"), ("happy", "sad")
    )
    assert found.tolist() == [[0.5, 0.5]]


def test_restriction_keeps_missing_predictions_and_fills_unknown_classes() -> None:
    found = compare.restrict(
        np.array([[np.nan, np.nan], [0.4, 0.6]]), ("happy", "sad"), ("happy", "sad", "angry")
    )
    assert np.isnan(found[0]).all()
    np.testing.assert_allclose(found[1], [0.4, 0.6, 0.0])


def test_mean_over_frames_translates_and_sums_to_one() -> None:
    """Scores that were rounded sum to 0.99 and 1.01; the mean sums to 1."""
    words = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
    scores = [
        dict(zip(words, (0.14, 0.0, 0.12, 0.17, 0.5, 0.04, 0.02), strict=True)),
        dict(zip(words, (0.0, 0.0, 0.0, 1.01, 0.0, 0.0, 0.0), strict=True)),
    ]
    means = peer_predict.mean_over_frames(scores)
    assert tuple(means) == peer_predict.EMOTIONS
    assert sum(means.values()) == pytest.approx(1)
    assert means["happy"] == pytest.approx((0.17 + 1.01) / (0.99 + 1.01))
    assert means["fearful"] == pytest.approx(0.12 / 2)


def test_mean_over_frames_refuses_a_word_that_it_does_not_know() -> None:
    with pytest.raises(KeyError, match="contempt"):
        peer_predict.mean_over_frames([{"contempt": 1.0}])


def write_predictions(folder: Path, corpus: Corpus, predicted: str) -> None:
    """A table as `peer_predict.py` writes it; every prediction has probability 0.6."""
    (folder / "predictions").mkdir(parents=True)
    (folder / frames.TABLE).write_text("clip_id,speaker,emotion,file\n")
    columns = (*EMOTIONS, "disgust")
    lines = [",".join(["clip_id", "system", "frames", *(f"p {name}" for name in columns)])]
    for clip, letter in zip(corpus, predicted * 2, strict=True):
        values = ["0.6" if name[0] == letter else "0.1" for name in columns]
        lines.append(",".join([clip.clip_id, "peer 1.0", "16", *values]))
    (folder / "predictions" / "peer.csv").write_text("\n".join(lines) + "\n")


def test_table_counts_by_hand(tmp_path: Path) -> None:
    """Each actor: happy right, sad right, angry taken as disgust, neutral taken as happy."""
    corpus = corpus_of("hsan")
    write_predictions(tmp_path, corpus, "hsdh")
    entries = compare.peer_entries(tmp_path, corpus)
    table = compare.table_of(entries, corpus)
    ((system, reads, clips, share, recall, error, unrestricted),) = table.rows
    assert (system, reads, clips) == ("peer 1.0", "faces, 16 frames", 8)
    # Restricted, disgust 0.6 beside four times 0.1 becomes 1/4 each: the first class is taken.
    assert share.value == 0.5
    assert recall.value == 0.5
    # Three clips of each actor have confidence 2/3, of which two are right; one has 1/4 and is
    # wrong: (3 * |2/3 - 2/3| + 1 * 1/4) / 4.
    assert error.value == pytest.approx(0.25 / 4)
    assert unrestricted.value == 0.5
    assert compare.as_json(table)["rows"][0]["accuracy (%)"]["value"] == 50.0


def test_a_difference_is_that_of_the_accuracies(tmp_path: Path) -> None:
    corpus = corpus_of("hsan")
    write_predictions(tmp_path, corpus, "hsdh")
    peers = compare.peer_entries(tmp_path, corpus)
    perfect = np.stack([np.eye(4)[EMOTIONS.index(str(clip.emotion))] for clip in corpus])
    ids = tuple(clip.clip_id for clip in corpus)
    own = compare.Entry(
        "aver perfect",
        "fused",
        compare.evaluation_of(Prediction(ids, EMOTIONS, perfect), corpus, "a"),
    )
    (difference,) = compare.differences_to([*peers, own], corpus.classes)
    assert difference.difference.value == 0.5
    assert compare.difference_facts(difference)["minimum_detectable"] is None  # equal for both


def test_clips_that_a_peer_lacks_are_left_out_for_all(tmp_path: Path) -> None:
    corpus = corpus_of("hsan")
    write_predictions(tmp_path, corpus, "hsdh")
    file = tmp_path / "predictions" / "peer.csv"
    file.write_text("\n".join(file.read_text().splitlines()[:-1]) + "\n")
    smaller = compare.on_clips_of(compare.peer_entries(tmp_path, corpus), corpus)
    assert [clip.clip_id for clip in smaller] == [clip.clip_id for clip in corpus][:-1]


def test_missing_tables_are_one_clear_line(tmp_path: Path) -> None:
    corpus = corpus_of("hsan")
    with pytest.raises(SettingsError, match=r"no clips\.csv"):
        compare.peer_entries(tmp_path, corpus)
    (tmp_path / frames.TABLE).write_text("clip_id,speaker,emotion,file\n")
    with pytest.raises(SettingsError, match="no predictions"):
        compare.peer_entries(tmp_path, corpus)
    (tmp_path / "predictions").mkdir()
    (tmp_path / "predictions" / "x.csv").write_text("a,b\n1,2\n")
    with pytest.raises(SettingsError, match=r"x\.csv is not a table"):
        compare.peer_entries(tmp_path, corpus)


def test_predictions_of_other_actors_are_refused(tmp_path: Path) -> None:
    corpus = corpus_of("hsan")
    write_predictions(tmp_path, corpus, "hsdh")
    others = Corpus("drawn", Path("drawn"), (Clip("09-0", "09", "happy"),))
    with pytest.raises(SettingsError, match="no clip of the actors 09"):
        compare.peer_entries(tmp_path, others)


def test_actors_on_whom_the_fusion_was_chosen_are_refused() -> None:
    corpus = corpus_of("hsan")
    chosen = {"chosen_on": "drawn", "speakers": ["02", "03"]}
    with pytest.raises(SettingsError, match=r"compare on: 03\."):
        compare.check_fusion({"fusion": chosen}, corpus)
    compare.check_fusion({"fusion": {**chosen, "speakers": ["01", "02"]}}, corpus)
    compare.check_fusion({"fusion": {**chosen, "chosen_on": "another"}}, corpus)
    compare.check_fusion({}, corpus)


def test_frames_are_not_written_into_the_project_or_over_other_files(tmp_path: Path) -> None:
    corpus = corpus_of("hsan")
    with pytest.raises(SettingsError, match="inside it"):
        frames.write_frames(corpus, Path(compare.__file__).parent / "frames")
    (tmp_path / "file").touch()
    with pytest.raises(SettingsError, match="not an empty folder"):
        frames.write_frames(corpus, tmp_path)


def test_evenly_spread_takes_all_frames_if_there_are_few() -> None:
    found = np.array([True, False, True])
    assert frames.evenly_spread(found, 16).tolist() == [0, 2]
    assert frames.evenly_spread(np.zeros(5, bool), 16).tolist() == []


def test_same_frames_gives_crops_of_the_boxes(tmp_path: Path) -> None:
    """Frames that are white inside the box and black outside: the crops are white."""
    image = np.zeros((2, 60, 80, 3), np.uint8)
    image[:, 10:40, 20:50] = 255
    boxes = np.tile(np.float32([20, 10, 50, 40]), (2, 1))
    np.savez(tmp_path / "0.npz", images=image, boxes=boxes, times_s=np.float32([0.0, 0.5]))
    source = compare.SameFrames(FeatureStore(tmp_path / "cache"), {"a": tmp_path / "0.npz"})
    record = source.get(Clip("a", None, None), FaceCrops(size_px=30, margin=0.0))
    assert record.arrays["crops"].shape == (2, 30, 30, 3)
    assert (record.arrays["crops"] == 255).all()
    wider = source.get(Clip("a", None, None), FaceCrops(size_px=60, margin=0.5))
    assert (wider.arrays["crops"] == 255).mean() == pytest.approx(0.25)
    assert record.arrays["found"].all()


def test_face_frames_of_a_real_clip_are_those_of_its_track(data_root: Path) -> None:
    video = data_root / "javanese-av" / "03-01-01_01.mp4"
    if not video.is_file():
        pytest.skip(f"There is no javanese-av at {data_root}.")
    taken = frames.face_frames(Clip("a", "03", "neutral", video=video))
    track = track_faces(video)
    assert taken is not None
    assert len(taken.images) == len(taken.boxes) == 16
    rows = np.searchsorted(track.times_s, taken.times_s - 1e-4)
    np.testing.assert_array_equal(track.boxes[rows], taken.boxes)
    assert np.ptp(np.diff(rows)) <= 1  # evenly spread over a clip with a face in every frame
    assert (taken.times_s[0], taken.times_s[-1]) == pytest.approx(
        (track.times_s[0], track.times_s[-1]), abs=1e-3
    )
