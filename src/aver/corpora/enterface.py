"""eNTERFACE'05: 44 subjects speak five sentences in six emotions."""

from __future__ import annotations

import re
from pathlib import Path

from aver.corpora.clip import Clip
from aver.corpora.corpus import Corpus, CorpusInfo, CorpusReader
from aver.corpora.files import VIDEO_SUFFIXES, group_media
from aver.emotions import parse_emotion
from aver.settings import settings

_SUBJECT = re.compile(r"subject[ _-]?0*(\d+)", re.IGNORECASE)
_SENTENCE = re.compile(r"sentence[ _-]?0*(\d+)", re.IGNORECASE)
# As published: s1_an_1.avi; also s_3_an_1.avi and s16_fe_3avi.avi.
_FILE = re.compile(r"s_?0*(\d+)_([a-z]{2})_?0*(\d+)(?:avi)?", re.IGNORECASE)
_EMOTIONS = ("angry", "disgust", "fearful", "happy", "sad", "surprised")
_SENTENCES = ("1", "2", "3", "4", "5")


@settings
class Enterface(CorpusReader):
    """Reads eNTERFACE'05 from its irregular folders.

    Subject, emotion and sentence come from the folders, or from the file name if the folders do
    not give them: subject 6 has no sentence folders, and other copies lack a level too. A file
    whose folder and name give different emotions is skipped and listed. The corpus does not state
    the sex of the subjects.

    Notes
    -----
    Source: Martin et al. (2006), "The eNTERFACE'05 Audio-Visual Emotion Database".
    """

    name = "enterface"
    path_pattern = r"(?i)(^|/)s_?\d+_(an|di|fe|ha|sa|su)_?\d\w*\.\w+$"
    info = CorpusInfo(
        title="eNTERFACE'05 Audio-Visual Emotion Database",
        license="free for research, as its distributors state; not to be redistributed",
        citation=(
            "Martin, O., Kotsia, I., Macq, B., & Pitas, I. (2006). The eNTERFACE'05 Audio-Visual "
            "Emotion Database. 22nd International Conference on Data Engineering Workshops. "
            "doi:10.1109/ICDEW.2006.145"
        ),
        url="https://enterface.net/enterface05/main.php?frame=emotion",
        tree=(
            "enterface/\n"
            "  subject 1/anger/sentence 1/s1_an_1.avi\n"
            "  subject 6/anger/s6_an_1.avi          no sentence folders\n"
            "  s7_an_1.avi                          works without folders"
        ),
        example="subject 1/anger/sentence 1/s1_an_1.avi",
    )

    def read(self, root: Path) -> Corpus:
        """Read the video files below `root`."""
        files, problems = group_media(root, VIDEO_SUFFIXES, _assign)
        return self.collect(root, [_clip(*entry) for entry in files.items()], problems)

    def missing(self, corpus: Corpus) -> tuple[str, ...]:
        """Missing clips of the subjects: each has 6 emotions x 5 sentences."""
        every = (
            f"s{subject}-{emotion}-{sentence}"
            for subject in corpus.speakers
            for emotion in _EMOTIONS
            for sentence in _SENTENCES
        )
        return tuple(clip_id for clip_id in every if clip_id not in corpus.by_id)


def _assign(place: Path) -> tuple[str, str] | str:
    folders = place.parts[:-1]
    name = _FILE.fullmatch(place.stem)
    subject = _number(_SUBJECT, folders) or (name[1] if name else None)
    sentence = _number(_SENTENCE, folders) or (name[3] if name else None)
    if subject is None or sentence is None:
        return "Neither folders nor name give subject and sentence."
    by_name = parse_emotion(name[2], place.as_posix()) if name else None
    by_folder = _emotion_of_folder(folders, place)
    if by_name and by_folder and by_name != by_folder:
        return f"The folder means {by_folder}, the name means {by_name}."
    emotion = by_folder or by_name
    if emotion is None:
        return "Neither folders nor name give an emotion."
    return f"s{int(subject):02d}-{emotion}-{sentence}", "video"


def _clip(clip_id: str, files: dict[str, Path]) -> Clip:
    subject, emotion, sentence = clip_id.split("-")
    path = files["video"]
    return Clip(
        clip_id=clip_id,
        speaker=subject.removeprefix("s"),
        emotion=emotion,
        video=path,
        audio=path,
        sentence=sentence,
        aliases=(path.stem,),
    )


def _number(pattern: re.Pattern[str], folders: tuple[str, ...]) -> str | None:
    matches = (pattern.fullmatch(folder.strip()) for folder in folders)
    return next((match[1] for match in matches if match), None)


def _emotion_of_folder(folders: tuple[str, ...], place: Path) -> str | None:
    """The emotion of the folder below that of the subject; None if there is no such folder."""
    subjects = [level for level, folder in enumerate(folders) if _SUBJECT.fullmatch(folder.strip())]
    below = folders[subjects[-1] + 1 :] if subjects else ()
    named = [folder for folder in below if not _SENTENCE.fullmatch(folder.strip())]
    return parse_emotion(named[0], place.as_posix()) if named else None
