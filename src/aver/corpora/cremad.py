"""CREMA-D: 91 actors, 12 sentences, 6 emotions, and what the crowd heard and saw in them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from aver.corpora.clip import Clip
from aver.corpora.corpus import Corpus, CorpusInfo, CorpusReader, Problem
from aver.corpora.files import AUDIO_SUFFIXES, VIDEO_SUFFIXES, find_media, read_table
from aver.emotions import parse_emotion
from aver.errors import CorpusError, LabelError, SettingsError

_PERCEIVED = {"1": "voice", "2": "face", "3": "both"}  # first digit of the row's number
_LETTERS = {
    "N": "neutral",
    "H": "happy",
    "S": "sad",
    "A": "angry",
    "F": "fearful",
    "D": "disgust",
}

Votes = dict[str, dict[str, dict[str, float]]]
"""Clip to what was perceived (voice, face, both) to emotion to share of votes."""


def read_votes(folder: Path, problems: list[Problem]) -> Votes:
    """Read ``processedResults/tabulatedVotes.csv``.

    Parameters
    ----------
    folder : Path
        The folder that holds ``processedResults``.
    problems : list of Problem
        Gets an entry where the table is missing.

    Returns
    -------
    dict
        Clip id -> ``"voice"``, ``"face"``, ``"both"`` -> emotion -> share; shares sum to 1.

    Raises
    ------
    CorpusError
        If a row is not as published.

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
            raise CorpusError(f"Line {line} of {path} is not a row of votes as published.")
        shares = {emotion: count / total for emotion, count in counts.items()}
        votes.setdefault(row["fileName"], {})[perceived] = shares
    return votes


_NAME = re.compile(r"(1\d{3})_([A-Z]{3})_([A-Z]{3})_(LO|MD|HI|XX|X)")
_INTENSITIES = {"LO": "low", "MD": "medium", "HI": "high", "XX": "unspecified"}
_CODES = ("ANG", "DIS", "FEA", "HAP", "NEU", "SAD")
# First choice first. The published WAV files are complete; some MP3 and FLV copies are silent.
_IMAGES = (".mp4", ".avi", ".mkv", ".mov", ".webm", ".flv")
_AUDIO_TRACKS = (
    ".wav",
    ".flac",
    ".mp3",
    ".ogg",
    ".m4a",
    ".mp4",
    ".avi",
    ".mkv",
    ".mov",
    ".webm",
    ".flv",
)
_SMALLEST_AUDIO_BYTES = 1000  # the shortest utterance, 1.2 s, needs more at any usable bit rate
_BROKEN = {  # as published; the corpus's own README, "Video Files" and "Audio Files"
    "1064_IEO_DIS_MD": "One minute with all emotions; the label holds for a part of it.",
    "1064_TIE_SAD_XX": "Broken as published: it has no duration.",
    "1076_MTI_NEU_XX": "Broken as published: very short and without sound.",
    "1076_MTI_SAD_XX": "Broken as published: an error picture, very short, without sound.",
}
_BROKEN_WAV = "1076_MTI_SAD_XX"  # the WAV files of the other three are sound


@dataclass(frozen=True)
class CremaD(CorpusReader):
    """Reads CREMA-D from any of its folders: FLV, MP4, MP3, WAV.

    Pictures come from MP4 before FLV, sound from WAV before MP3 before the video files. Git LFS
    pointers, empty files and sound files too small for an utterance are skipped and listed, as are
    the copies of four clips that were published broken; three of these keep their WAV files. Some
    FLV files had no sound until December 2020; with the WAV files at hand that does not matter.

    Parameters
    ----------
    metadata : str
        Folder with ``VideoDemographics.csv`` and ``processedResults/tabulatedVotes.csv``; without
        it they are looked for in the corpus folder.
    label : {"intended", "voice", "face", "both"}
        The emotion of a clip is what the actor was asked for, or what most raters perceived in
        the voice alone, the face alone, or both; a clip with a tie is then skipped and listed.
        `Clip.votes` holds all shares in any case.

    Notes
    -----
    Source: Cao et al. (2014), IEEE Transactions on Affective Computing 5(4), 377-390.
    """

    metadata: str = ""
    label: str = "intended"

    name = "cremad"
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

    def __post_init__(self) -> None:
        if self.label not in ("intended", "voice", "face", "both"):
            raise SettingsError(
                f"CREMA-D has no label {self.label!r}. Choose 'intended', 'voice', 'face' or "
                "'both'."
            )

    def read(self, root: Path) -> Corpus:
        """Group the media files below `root` by clip and join the tables."""
        found = find_media(root, VIDEO_SUFFIXES | AUDIO_SUFFIXES)
        problems = list(found.problems)
        files: dict[str, dict[str, Path]] = {}
        for path in found.files:
            where = path.relative_to(root).as_posix()
            match = _NAME.fullmatch(path.stem)
            fault = _fault(match, path)
            if match is None or fault is not None:
                problems.append(Problem(where, fault or ""))
                continue
            if match[3] not in _CODES:
                raise LabelError(
                    f"Unknown emotion code {match[3]!r} in {where}. CREMA-D has "
                    f"{', '.join(_CODES)}."
                )
            copies = files.setdefault(_clip_id(match), {})
            suffix = path.suffix.lower()
            if suffix in copies:
                kept = copies[suffix].relative_to(root).as_posix()
                problems.append(Problem(where, f"A second copy of {kept}, which is used."))
            else:
                copies[suffix] = path
        tables = Path(self.metadata).expanduser() if self.metadata else root
        sexes, votes = _sexes(tables, problems), read_votes(tables, problems)
        clips = [self._clip(name, copies, sexes, votes) for name, copies in files.items()]
        labelled = [clip for clip in clips if clip.emotion is not None]
        problems += [
            Problem(clip.clip_id, f"The raters of {self.label!r} name no single emotion.")
            for clip in clips
            if clip.emotion is None
        ]
        return self.collect(root, labelled, problems)

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
            video=_first(copies, _IMAGES),
            audio=_first(copies, _AUDIO_TRACKS),
            sex=sexes.get(speaker),
            intensity=_INTENSITIES[intensity],
            sentence=sentence,
            votes=shares,
        )

    def missing(self, corpus: Corpus) -> tuple[str, ...]:
        """Clips of ``SentenceFilenames.csv`` that were not found, where that table is."""
        tables = Path(self.metadata).expanduser() if self.metadata else corpus.root
        listing = tables / "SentenceFilenames.csv"
        if not listing.is_file():
            return ()
        names = [row["Filename"] for _, row in read_table(listing, ["Filename"]).rows]
        return tuple(sorted(name for name in names if name not in corpus.by_id))


def _clip_id(match: re.Match[str]) -> str:
    """The name as the tables have it: ``1040_ITH_SAD_X`` was published without its last X."""
    return "_".join((*match.group(1, 2, 3), "XX" if match[4] == "X" else match[4]))


def _fault(match: re.Match[str] | None, path: Path) -> str | None:
    if match is None:
        return "The name is not actor_sentence_emotion_intensity."
    name, suffix = _clip_id(match), path.suffix.lower()
    if name in _BROKEN and (suffix != ".wav" or name == _BROKEN_WAV):
        return _BROKEN[name]
    if suffix in AUDIO_SUFFIXES and path.stat().st_size < _SMALLEST_AUDIO_BYTES:
        return f"A copy without sound: {path.stat().st_size} bytes."
    return None


def _first(copies: Mapping[str, Path], preference: tuple[str, ...]) -> Path | None:
    return next((copies[suffix] for suffix in preference if suffix in copies), None)


def _winner(shares: Mapping[str, float]) -> str | None:
    """The emotion with most votes; None where there are no votes, or a tie."""
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
