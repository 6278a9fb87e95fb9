"""The key of a fold: other data never finds the answers of this one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from aver.corpora.clip import Clip
from aver.evaluation.fold_run import FoldRun
from aver.evaluation.reproduce import CorpusRuns
from aver.features.store import FeatureStore
from aver.models.base.presets import load_preset
from tone_corpus import write_tone_corpus


@pytest.fixture
def clips(tmp_path: Path) -> tuple[Clip, ...]:
    return write_tone_corpus(tmp_path / "tones", speakers=2, takes=1).clips


def _key(clips: tuple[Clip, ...], tmp_path: Path, modalities: tuple[str, ...] = ("audio",)) -> str:
    task = FoldRun(
        *load_preset("statistics-logistic", {"modalities": list(modalities)}),
        train=clips[1:],
        validation=clips[1:],
        test=clips[:1],
        seed=0,
        fold=0,
        folder=tmp_path / "fold",
        cache=tmp_path / "cache",
    )
    return task.run.key


def _corpus_key(clips: tuple[Clip, ...], tmp_path: Path) -> str:
    corpus = write_tone_corpus(tmp_path / "same", speakers=1, takes=1)
    return CorpusRuns(replace(corpus, clips=clips), FeatureStore(tmp_path / "cache")).key


@pytest.mark.parametrize(
    "change",
    [
        {"emotion": "fearful"},
        {"intensity": "strong"},
        {"votes": {"face": {"happy": 1.0}}},
        {"speaker": "somebody else"},
    ],
)
def test_labels_are_part_of_the_identity(
    clips: tuple[Clip, ...], tmp_path: Path, change: dict[str, object]
) -> None:
    changed = (replace(clips[0], **change), *clips[1:])
    assert _key(changed, tmp_path) != _key(clips, tmp_path)
    assert _corpus_key(changed, tmp_path) != _corpus_key(clips, tmp_path)


def test_media_are_part_of_the_identity_by_content(clips: tuple[Clip, ...], tmp_path: Path) -> None:
    before = _key(clips, tmp_path), _corpus_key(clips, tmp_path)
    moved = tmp_path / "elsewhere.wav"
    assert clips[0].audio is not None
    assert clips[1].audio is not None
    moved.write_bytes(clips[0].audio.read_bytes())
    same = (replace(clips[0], audio=moved), *clips[1:])
    assert (_key(same, tmp_path), _corpus_key(same, tmp_path)) == before
    moved.write_bytes(clips[1].audio.read_bytes())
    assert _key(same, tmp_path) != before[0]
    assert _corpus_key(same, tmp_path) != before[1]


def test_action_units_are_part_of_the_identity_if_they_are_used(
    clips: tuple[Clip, ...], tmp_path: Path
) -> None:
    def with_units(value: float) -> tuple[Clip, ...]:
        table = tmp_path / f"units-{value}.csv"
        rows = "".join(f"{clip.clip_id},{value}\n" for clip in clips)
        table.write_text("clip,AU01_r\n" + rows)
        return tuple(
            replace(clip, action_units=table, action_units_row=clip.clip_id) for clip in clips
        )

    one, two = with_units(1.0), with_units(2.0)
    assert _key(one, tmp_path, ("action_units",)) != _key(two, tmp_path, ("action_units",))
    assert _key(one, tmp_path) == _key(two, tmp_path)
    assert _corpus_key(one, tmp_path) != _corpus_key(two, tmp_path)


def test_an_unreadable_file_does_not_stop_the_corpus_key(
    clips: tuple[Clip, ...], tmp_path: Path
) -> None:
    lost = (replace(clips[0], audio=tmp_path / "lost.wav"), *clips[1:])
    assert _corpus_key(lost, tmp_path) != _corpus_key(clips, tmp_path)


def test_other_pretrained_weights_at_one_path_are_another_fold(
    clips: tuple[Clip, ...], tmp_path: Path
) -> None:
    weights = tmp_path / "weights.safetensors"
    keys = []
    for content in (b"some", b"others"):
        weights.write_bytes(content)
        task = FoldRun(
            *load_preset(
                "mrpn-compact",
                {"modalities": ["audio"], "branches.audio.pretrained": str(weights)},
            ),
            train=clips[1:],
            validation=clips[1:],
            test=clips[:1],
            seed=0,
            fold=0,
            folder=tmp_path / "fold",
            cache=tmp_path / "cache",
        )
        keys.append(task.run.key)
    assert keys[0] != keys[1]
