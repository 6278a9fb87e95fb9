"""Corpora without media."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from aver.corpora import Clip, Corpus


@pytest.fixture(scope="session")
def corpus_of() -> Callable[..., Corpus]:
    """A function that makes a corpus of named speakers, each with the same clips."""

    def make(
        sexes: Mapping[str, str | None],
        emotions: tuple[str, ...] = ("happy", "sad"),
        takes: int = 2,
    ) -> Corpus:
        clips = [
            Clip(f"{speaker}-{emotion}-{take}", speaker, emotion, sex=sex, take=str(take))
            for speaker, sex in sexes.items()
            for emotion in emotions
            for take in range(takes)
        ]
        return Corpus("test", Path("nowhere"), tuple(sorted(clips, key=lambda clip: clip.clip_id)))

    return make


@pytest.fixture(scope="session")
def speakers_of() -> Callable[..., list[dict[str, set[str]]]]:
    """A function that gives the speakers of each subset of each fold."""

    def speakers(split, corpus):  # type: ignore[no-untyped-def]
        return [
            {
                subset: {clip.speaker for clip in corpus.select(ids)}
                for subset, ids in fold.subsets().items()
            }
            for fold in split.folds
        ]

    return speakers
