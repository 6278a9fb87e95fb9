"""CREMA-D: 91 actors, 12 sentences, 6 emotions, and the votes of crowd-sourced raters."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from aver.corpora.clip import Clip
from aver.corpora.corpus import Corpus, CorpusInfo, CorpusReader, Problem
from aver.corpora.files import AUDIO_SUFFIXES, VIDEO_SUFFIXES, group_media, read_table
from aver.emotions import parse_emotion
from aver.errors import CorpusError, LabelError
from aver.settings import settings

_NAME = re.compile(r"(1\d{3})_([A-Z]{3})_([A-Z]{3})_(LO|MD|HI|XX|X)")
_INTENSITIES = {"LO": "low", "MD": "medium", "HI": "high", "XX": "unspecified"}
_CODES = ("ANG", "DIS", "FEA", "HAP", "NEU", "SAD")
# In order of preference. The published WAV files are complete; some MP3 and FLV files are silent.
_VIDEO_FILES = (".mp4", ".avi", ".mkv", ".mov", ".webm", ".flv")
_AUDIO_FILES = (".wav", ".flac", ".mp3", ".ogg", ".m4a", *_VIDEO_FILES)
_MIN_AUDIO_BYTES = 1000  # the shortest utterance, 1.2 s, needs more at any usable bit rate
_BROKEN = {  # as published; the corpus's own README, "Video Files" and "Audio Files"
    "1064_IEO_DIS_MD": "One minute with all emotions; the label holds for a part of it.",
    "1064_TIE_SAD_XX": "Broken as published: it has no duration.",
    "1076_MTI_NEU_XX": "Broken as published: very short and without audio.",
    "1076_MTI_SAD_XX": "Broken as published: an error image, very short, without audio.",
}
_BROKEN_WAV = "1076_MTI_SAD_XX"  # the WAV files of the other three are intact


@settings
class CremaD(CorpusReader):
    """Reads CREMA-D from any of its folders: FLV, MP4, MP3, WAV.

    Video comes from MP4 before FLV, audio from WAV before MP3 before the video files. Git LFS
    pointers, empty files and audio files too small for an utterance are skipped and listed, as are
    the files of four clips that were published broken; three of these keep their WAV files. Some
    FLV files had no audio until December 2020, which does not matter if the WAV files are there.

    Parameters
    ----------
    metadata : str
        Folder with ``VideoDemographics.csv`` and ``processedResults/tabulatedVotes.csv``;
        default the corpus folder.
    label : {"intended", "voice", "face", "both"}
        The emotion of a clip is the one that the actor intended, or the one that most raters
        perceived in the voice alone, the face alone, or both; clips with a tie are skipped and
        listed. `Clip.votes` holds all shares in any case.

    Notes
    -----
    Source: Cao et al. (2014), IEEE Transactions on Affective Computing 5(4), 377-390.
    """

    metadata: str = ""
    label: Literal["intended", "voice", "face", "both"] = "intended"

    name = "cremad"
    path_pattern = r"(^|/)1\d{3}_[A-Z]{3}_[A-Z]{3}_[A-Z]{1,2}\.\w+$"
    info = CorpusInfo(
        title="CREMA-D, the Crowd-sourced Emotional Multimodal Actors Dataset",
        license="Open Database License (ODbL) 1.0",
        citation=(
            "Cao, H., Cooper, D. G., Keutmann, M. K., Gur, R. C., Nenkova, A., & Verma, R. (2014). "
            "CREMA-D: Crowd-sourced Emotional Multimodal Actors Dataset. IEEE Transactions on "
            "Affective Computing 5(4), 377-390. doi:10.1109/TAFFC.2014.2336244"
        ),
        url="https://github.com/CheyneyComputerScience/CREMA-D",
        tree=(
            "CREMA-D/               cloned with Git LFS\n"
            "  VideoFlash/1001_DFA_ANG_XX.flv    actor_sentence_emotion_intensity\n"
            "  VideoMP4/1001_DFA_ANG_XX.mp4      (if you converted them)\n"
            "  AudioWAV/1001_DFA_ANG_XX.wav\n"
            "  AudioMP3/1001_DFA_ANG_XX.mp3\n"
            "  VideoDemographics.csv             sexes\n"
            "  SentenceFilenames.csv             all clip names\n"
            "  processedResults/tabulatedVotes.csv"
        ),
        example="AudioWAV/1001_DFA_ANG_XX.wav",
    )

    def read(self, root: Path) -> Corpus:
        """Group the media files below `root` by clip and join the tables."""
        files, problems = group_media(
            root, VIDEO_SUFFIXES | AUDIO_SUFFIXES, lambda place: _assign(root, place)
        )
        tables = self._tables(root)
        sexes, votes = _sexes(tables, problems), read_votes(tables, problems)
        clips = [self._clip(name, copies, sexes, votes) for name, copies in files.items()]
        problems += [
            Problem(clip.clip_id, f"The raters of {self.label!r} do not agree on one emotion.")
            for clip in clips
            if clip.emotion is None
        ]
        labeled = [clip for clip in clips if clip.emotion is not None]
        return self.collect(root, labeled, problems)

    def missing(self, corpus: Corpus) -> tuple[str, ...]:
        """Clips of ``SentenceFilenames.csv`` that were not found, if that table exists."""
        table = self._tables(corpus.root) / "SentenceFilenames.csv"
        if not table.is_file():
            return ()
        names = [row["Filename"] for _, row in read_table(table, ["Filename"]).rows]
        return tuple(sorted(name for name in names if name not in corpus.by_id))

    def _tables(self, root: Path) -> Path:
        return Path(self.metadata).expanduser() if self.metadata else root

    def _clip(
        self,
        name: str,
        copies: Mapping[str, Path],
        sexes: Mapping[str, str],
        votes: Mapping[str, Mapping[str, Mapping[str, float]]],
    ) -> Clip:
        speaker, sentence, code, intensity = name.split("_")
        shares = votes.get(name, {})
        intended = parse_emotion(code, name)
        return Clip(
            clip_id=name,
            speaker=speaker,
            emotion=intended if self.label == "intended" else _winner(shares.get(self.label, {})),
            video=_first(copies, _VIDEO_FILES),
            audio=_first(copies, _AUDIO_FILES),
            sex=sexes.get(speaker),
            intensity=_INTENSITIES[intensity],
            sentence=sentence,
            votes=shares,
        )


def _assign(root: Path, place: Path) -> tuple[str, str] | str:
    match = _NAME.fullmatch(place.stem)
    if match is None:
        return "The name is not actor_sentence_emotion_intensity."
    # 1040_ITH_SAD_X was published without its last X; the tables have it.
    name = "_".join((*match.group(1, 2, 3), "XX" if match[4] == "X" else match[4]))
    suffix = place.suffix.lower()
    if name in _BROKEN and (suffix != ".wav" or name == _BROKEN_WAV):
        return _BROKEN[name]
    size_bytes = (root / place).stat().st_size
    if suffix in AUDIO_SUFFIXES and size_bytes < _MIN_AUDIO_BYTES:
        return f"A copy without audio: {size_bytes} bytes."
    if match[3] not in _CODES:
        raise LabelError(
            f"Unknown emotion code {match[3]!r} in {place.as_posix()}. CREMA-D has "
            f"{', '.join(_CODES)}."
        )
    return name, suffix


def _first(copies: Mapping[str, Path], preference: tuple[str, ...]) -> Path | None:
    return next((copies[suffix] for suffix in preference if suffix in copies), None)


def _winner(shares: Mapping[str, float]) -> str | None:
    """The emotion with most votes; None without votes, or with a tie."""
    top = max(shares.values(), default=0.0)
    winners = [emotion for emotion, share in shares.items() if share == top]
    return winners[0] if len(winners) == 1 else None


def _sexes(tables: Path, problems: list[Problem]) -> dict[str, str]:
    path = tables / "VideoDemographics.csv"
    if not path.is_file():
        problems.append(Problem(path.name, "Not found: the sexes of the speakers are unknown."))
        return {}
    rows = read_table(path, ["ActorID", "Sex"]).rows
    return {row["ActorID"]: row["Sex"].lower() for _, row in rows}


_PERCEIVED = {"1": "voice", "2": "face", "3": "both"}  # first digit of the row's number
_LETTERS = {
    "N": "neutral", "H": "happy", "S": "sad", "A": "angry", "F": "fearful", "D": "disgust"
}  # fmt: skip

Votes = dict[str, dict[str, dict[str, float]]]
"""Shares of votes by clip, then by what was perceived (voice, face, both), then by emotion."""


def read_votes(folder: Path, problems: list[Problem]) -> Votes:
    """Read ``processedResults/tabulatedVotes.csv``.

    Parameters
    ----------
    folder : Path
        The folder that holds ``processedResults``.
    problems : list of Problem
        Gets an entry if the table is missing.

    Returns
    -------
    dict
        Clip id -> ``"voice"``, ``"face"``, ``"both"`` -> emotion -> share; shares sum to 1.

    Raises
    ------
    CorpusError
        If a row differs from the published format.

    Notes
    -----
    Source: the corpus's ``processFinishedResponses.r``: rows are numbered 100,000 x query type +
    clip number, with query type 1 voice, 2 face, 3 audio-visual.
    """
    path = folder / "processedResults" / "tabulatedVotes.csv"
    if not path.is_file():
        problems.append(Problem("processedResults/tabulatedVotes.csv", "Not found: no votes."))
        return {}
    votes: Votes = {}
    table = read_table(path, ["fileName", *_LETTERS])
    for line, row in table.rows:
        perceived = _PERCEIVED.get(row[table.columns[0]][:1])
        try:
            counts = {emotion: int(row[letter]) for letter, emotion in _LETTERS.items()}
        except ValueError:
            counts = {}
        total = sum(counts.values())
        if perceived is None or total <= 0:
            raise CorpusError(
                f"Line {line} of {path} is not a row of votes in the published format."
            )
        shares = {emotion: count / total for emotion, count in counts.items()}
        votes.setdefault(row["fileName"], {})[perceived] = shares
    return votes
