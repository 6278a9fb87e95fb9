"""RAVDESS: 24 actors speak and sing two sentences in eight emotions."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from aver.corpora.clip import Clip
from aver.corpora.corpus import Corpus, CorpusInfo, CorpusReader, Problem
from aver.corpora.files import AUDIO_SUFFIXES, VIDEO_SUFFIXES, find_media
from aver.emotions import EMOTIONS
from aver.errors import LabelError, SettingsError

_NAME = re.compile(r"(\d\d)-(\d\d)-(\d\d)-(\d\d)-(\d\d)-(\d\d)-(\d\d)")
_CHANNELS = {"01": "speech", "02": "song"}
_INTENSITIES = {"01": "normal", "02": "strong"}
_EMOTIONS = {f"{code:02d}": emotion for code, emotion in enumerate(EMOTIONS, start=1)}
_FULL, _VIDEO_ONLY, _AUDIO_ONLY = "01", "02", "03"
_SONG_EMOTIONS = ("01", "02", "03", "04", "05", "06")


@dataclass(frozen=True)
class Ravdess(CorpusReader):
    """Reads RAVDESS, one clip per performance.

    The files ``01-`` (picture and sound), ``02-`` (picture) and ``03-`` (sound) with the same six
    further fields are one performance in three containers, hence one `Clip`. Pictures come from
    the full file where there is one, sound from the sound file (uncompressed as published).

    Parameters
    ----------
    channel : {"speech", "song", "both"}
        Which recordings to read.

    Notes
    -----
    Source: Livingstone & Russo (2018), PLoS ONE 13(5): e0196391, "Filename identifiers".
    """

    channel: str = "speech"

    name = "ravdess"
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
            "  Actor_01/            any folders do; the file names say everything\n"
            "    01-01-03-02-02-01-01.mp4    modality-channel-emotion-intensity-\n"
            "    02-01-03-02-02-01-01.mp4    statement-repetition-actor\n"
            "    03-01-03-02-02-01-01.wav    (or .flac, .mp3, ...)"
        ),
        example="Actor_01/03-01-03-02-02-01-01.wav",
    )

    def __post_init__(self) -> None:
        if self.channel not in ("speech", "song", "both"):
            raise SettingsError(
                f"RAVDESS has no channel {self.channel!r}. Choose 'speech', 'song' or 'both'."
            )

    def read(self, root: Path) -> Corpus:
        """Pair the files below `root` into performances by their names."""
        found = find_media(root, VIDEO_SUFFIXES | AUDIO_SUFFIXES)
        problems = list(found.problems)
        performances: dict[str, dict[str, Path]] = {}
        for path in found.files:
            where = path.relative_to(root).as_posix()
            match = _NAME.fullmatch(path.stem)
            if match is None:
                problems.append(Problem(where, "The name has not the seven fields of RAVDESS."))
                continue
            modality, channel = match[1], match[2]
            if modality not in (_FULL, _VIDEO_ONLY, _AUDIO_ONLY) or channel not in _CHANNELS:
                problems.append(Problem(where, "The modality or channel is unknown to RAVDESS."))
                continue
            if self.channel not in ("both", _CHANNELS[channel]):
                continue
            _check_label(match[3], where)
            files = performances.setdefault(path.stem[3:], {})
            if modality in files:
                kept = files[modality].relative_to(root).as_posix()
                problems.append(Problem(where, f"A second copy of {kept}, which is used."))
            else:
                files[modality] = path
        clips = [_clip(fields, files) for fields, files in performances.items()]
        return self.collect(root, clips, problems)

    def missing(self, corpus: Corpus) -> tuple[str, ...]:
        """Performances that the actors present should have: 60 speech and 44 song clips each."""
        present = corpus.by_id
        channels = [code for code, name in _CHANNELS.items() if self.channel in ("both", name)]
        return tuple(
            name
            for actor in corpus.speakers
            for channel in channels
            for name in _all_performances(channel, actor)
            if name not in present
        )


def _check_label(code: str, where: str) -> None:
    if code not in _EMOTIONS:
        raise LabelError(
            f"Unknown emotion code {code!r} in {where}. RAVDESS has 01 (neutral) to 08 (surprised)."
        )


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
        aliases=tuple(f"{modality}-{fields}" for modality in (_FULL, _VIDEO_ONLY, _AUDIO_ONLY)),
    )


def _all_performances(channel: str, actor: str) -> list[str]:
    if channel == "02" and actor == "18":  # she sang nothing
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
