"""RAVDESS: 24 actors speak and sing two sentences in eight emotions."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal

from aver.corpora.clip import Clip
from aver.corpora.corpus import Corpus, CorpusInfo, CorpusReader
from aver.corpora.files import AUDIO_SUFFIXES, VIDEO_SUFFIXES, group_media
from aver.emotions import EMOTIONS
from aver.errors import LabelError
from aver.settings import settings

_NAME = re.compile(r"(\d\d)-(\d\d)-(\d\d)-(\d\d)-(\d\d)-(\d\d)-(\d\d)")
_FULL, _VIDEO_ONLY, _AUDIO_ONLY = _MODALITIES = ("01", "02", "03")
_CHANNELS = {"01": "speech", "02": "song"}
_EMOTIONS = {f"{code:02d}": emotion for code, emotion in enumerate(EMOTIONS, start=1)}
_SONG_EMOTIONS = ("01", "02", "03", "04", "05", "06")
_INTENSITIES = {"01": "normal", "02": "strong"}


@settings
class Ravdess(CorpusReader):
    """Reads RAVDESS, one clip per performance.

    The files ``01-`` (video and audio), ``02-`` (video) and ``03-`` (audio) with the same six
    further fields are one performance in three containers, hence one `Clip`. The video is that of
    the full file if it exists, the audio that of the audio file (published uncompressed).

    Parameters
    ----------
    channel : {"speech", "song", "both"}
        Which recordings to read.

    Notes
    -----
    Source: Livingstone & Russo (2018), PLoS ONE 13(5): e0196391, "Filename identifiers".
    """

    channel: Literal["speech", "song", "both"] = "speech"

    name = "ravdess"
    path_pattern = r"(^|/)0[123]-0[12]-\d\d-\d\d-\d\d-\d\d-\d\d\.\w+$"
    info = CorpusInfo(
        title="RAVDESS, the Ryerson Audio-Visual Database of Emotional Speech and Song",
        license="CC BY-NC-SA 4.0",
        citation=(
            "Livingstone, S. R., & Russo, F. A. (2018). The Ryerson Audio-Visual Database of "
            "Emotional Speech and Song (RAVDESS): A dynamic, multimodal set of facial and vocal "
            "expressions in North American English. PLoS ONE 13(5): e0196391."
        ),
        url="https://zenodo.org/record/1188976",
        tree=(
            "ravdess/\n"
            "  Actor_01/            any folders; only the file names matter\n"
            "    01-01-03-02-02-01-01.mp4    modality-channel-emotion-intensity-\n"
            "    02-01-03-02-02-01-01.mp4    statement-repetition-actor\n"
            "    03-01-03-02-02-01-01.wav    (or .flac, .mp3, ...)"
        ),
        example="Actor_01/03-01-03-02-02-01-01.wav",
    )

    def read(self, root: Path) -> Corpus:
        """Group the files below `root` into performances by their names."""
        files, problems = group_media(root, VIDEO_SUFFIXES | AUDIO_SUFFIXES, self._assign)
        return self.collect(root, [_clip(*entry) for entry in files.items()], problems)

    def missing(self, corpus: Corpus) -> tuple[str, ...]:
        """Missing performances of the actors: each has 60 of speech and 44 of song."""
        return tuple(
            name
            for actor in corpus.speakers
            for code, channel in _CHANNELS.items()
            if self.channel in ("both", channel)
            for name in _all_performances(code, actor)
            if name not in corpus.by_id
        )

    def _assign(self, place: Path) -> tuple[str, str] | str | None:
        match = _NAME.fullmatch(place.stem)
        if match is None:
            return "The name does not have the seven fields of RAVDESS."
        modality, channel, emotion = match.group(1, 2, 3)
        if modality not in _MODALITIES or channel not in _CHANNELS:
            return "The modality or channel is unknown to RAVDESS."
        if self.channel not in ("both", _CHANNELS[channel]):
            return None
        if emotion not in _EMOTIONS:
            raise LabelError(
                f"Unknown emotion code {emotion!r} in {place.as_posix()}. RAVDESS has 01 (neutral) "
                "to 08 (surprised)."
            )
        return place.stem[3:], modality


def _clip(fields: str, files: dict[str, Path]) -> Clip:
    channel, emotion, intensity, statement, repetition, actor = fields.split("-")
    return Clip(
        clip_id=fields,
        speaker=actor,
        emotion=_EMOTIONS[emotion],
        video=files.get(_FULL) or files.get(_VIDEO_ONLY),
        audio=files.get(_AUDIO_ONLY) or files.get(_FULL),
        sex="male" if int(actor) % 2 else "female",
        intensity=_INTENSITIES.get(intensity),
        sentence=statement,
        take=repetition,
        channel=_CHANNELS[channel],
        aliases=tuple(f"{modality}-{fields}" for modality in _MODALITIES),
    )


def _all_performances(channel: str, actor: str) -> list[str]:
    if channel == "02" and actor == "18":  # has no songs
        return []
    emotions = _SONG_EMOTIONS if channel == "02" else tuple(_EMOTIONS)
    return [
        f"{channel}-{emotion}-{intensity}-{statement}-{repetition}-{actor}"
        for emotion in emotions
        for intensity in _INTENSITIES
        for statement in ("01", "02")
        for repetition in ("01", "02")
        if (emotion, intensity) != ("01", "02")  # neutral has no strong form
    ]
