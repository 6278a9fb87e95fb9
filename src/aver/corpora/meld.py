"""MELD: 13,708 utterances from the TV series Friends, with seven emotions; audio and video."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from aver.corpora.clip import Clip
from aver.corpora.corpus import Corpus, CorpusInfo, CorpusReader, Problem
from aver.corpora.files import (
    AUDIO_SUFFIXES,
    VIDEO_SUFFIXES,
    find_named,
    group_media,
    media_kind,
    read_table,
)
from aver.emotions import parse_emotion
from aver.settings import settings

_NAME = re.compile(r"(?P<cut>final_videos_test)?(?P<utterance>dia\d+_utt\d+)", re.IGNORECASE)
_SUBSETS = {"train": "train", "dev": "validation", "test": "test"}
_BROKEN = {"train/dia125_utt3": "Broken as published: the video cannot be decoded."}
_COLUMNS = ("Speaker", "Emotion", "Dialogue_ID", "Utterance_ID")


@settings
class Meld(CorpusReader):
    """Reads MELD: the videos of the three subsets and their tables.

    The subset of a file is that of its folders (``train_splits``, ``dev_splits_complete``,
    ``output_repeated_splits_test``), because numbers of dialogs repeat. Speakers are the
    characters; those of the main cast speak in all subsets. The folder of the test subset has a
    second cut of some utterances (``final_videos_test...``), which is used if the first is missing.
    ``train/dia125_utt3`` cannot be decoded, ``dev/dia110_utt7`` was not published, and a few videos
    hold several minutes around the utterance (``test/dia38_utt4``, ``test/dia220_utt0``).

    Notes
    -----
    Source: Poria et al. (2019), section 3; README of https://github.com/declare-lab/MELD and its
    issues 20 and 39.
    """

    name = "meld"
    path_pattern = (
        r"(?i)(^|/)((final_videos_test)?dia\d+_utt\d+\.\w+"
        r"|(train|dev|test)_sent_emo\.csv)$"
    )
    info = CorpusInfo(
        title="MELD, the Multimodal EmotionLines Dataset",
        license="GPL-3.0 (annotations); the videos are from a TV series",
        citation=(
            "Poria, S., Hazarika, D., Majumder, N., Naik, G., Cambria, E., & Mihalcea, R. (2019). "
            "MELD: A Multimodal Multi-Party Dataset for Emotion Recognition in Conversations. "
            "57th Annual Meeting of the Association for Computational Linguistics, 527-536. "
            "doi:10.18653/v1/P19-1050"
        ),
        url="https://affective-meld.github.io/",
        tree=(
            "MELD.Raw/\n"
            "  train_sent_emo.csv, dev_sent_emo.csv, test_sent_emo.csv    (in any folder)\n"
            "  train_splits/dia0_utt0.mp4\n"
            "  dev_splits_complete/dia0_utt0.mp4                          validation\n"
            "  output_repeated_splits_test/dia0_utt0.mp4"
        ),
        example="train_splits/dia0_utt0.mp4",
    )

    def read(self, root: Path) -> Corpus:
        """Join the files below `root` with the rows of the tables."""
        files, problems = group_media(root, AUDIO_SUFFIXES | VIDEO_SUFFIXES, _assign)
        rows = dict(_rows(root))
        if files and not rows:
            problems.insert(0, Problem("train_sent_emo.csv", "Not found: there are no labels."))
        clips = []
        for clip_id, copies in files.items():
            if clip_id in rows:
                clips.append(_clip(clip_id, *rows[clip_id], copies))
            elif rows:
                path = next(iter(copies.values())).relative_to(root).as_posix()
                problems.append(Problem(path, "The tables have no row for it."))
        return self.collect(root, clips, problems)

    def missing(self, corpus: Corpus) -> tuple[str, ...]:
        """Rows of the tables without a file."""
        return tuple(
            sorted(clip_id for clip_id, _ in _rows(corpus.root) if clip_id not in corpus.by_id)
        )


def _assign(place: Path) -> tuple[str, str] | str:
    match = _NAME.fullmatch(place.stem)
    if match is None:
        return f"The name is not like {Meld.info.example}."
    folders = re.findall("train|dev|test", "/".join(place.parts[:-1]).lower())
    if not folders:
        return "No folder tells whether it is of the train, dev or test subset."
    clip_id = f"{folders[-1]}/{match['utterance'].lower()}"
    if clip_id in _BROKEN:
        return _BROKEN[clip_id]
    kind = media_kind(place)
    return clip_id, f"second {kind}" if match["cut"] else kind


def _rows(root: Path) -> Iterator[tuple[str, tuple[str, str]]]:
    """Clip id, character and label of each row of the three tables."""
    for table in find_named(root, "(train|dev|test)_sent_emo[.]csv"):
        subset = table.name.partition("_")[0].lower()
        for line, row in read_table(table, _COLUMNS).rows:
            emotion = parse_emotion(row["Emotion"], f"{table}, line {line}")
            yield (
                f"{subset}/dia{row['Dialogue_ID']}_utt{row['Utterance_ID']}",
                (row["Speaker"], emotion),
            )


def _clip(clip_id: str, speaker: str, emotion: str, copies: dict[str, Path]) -> Clip:
    video = copies.get("video") or copies.get("second video")
    return Clip(
        clip_id=clip_id,
        speaker=speaker or None,
        emotion=emotion,
        video=video,
        audio=copies.get("audio") or copies.get("second audio") or video,
        subset=_SUBSETS[clip_id.partition("/")[0]],
    )
