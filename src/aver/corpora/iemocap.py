"""IEMOCAP: ten actors in dialogs; utterances with the emotion that most raters perceived."""

from __future__ import annotations

import re
from collections import Counter
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
    read_lines,
)
from aver.errors import LabelError
from aver.settings import settings

_DIALOG = r"Ses0[1-5][FM]_(?:impro|script)\w*?"
_UTTERANCE = re.compile(rf"(?P<dialog>{_DIALOG})_(?P<sex>[FM])\w{{3}}")
# [6.2901 - 8.2357]	Ses01F_impro01_F000	neu	[2.5000, 2.5000, 2.5000]
_ROW = re.compile(r"\[[\d. \-]+\]\s+(?P<utterance>Ses\S+)\s+(?P<code>\w+)")
_CODES = {
    "ang": "angry",
    "dis": "disgust",
    "exc": "excited",
    "fea": "fearful",
    "fru": "frustrated",
    "hap": "happy",
    "neu": "neutral",
    "sad": "sad",
    "sur": "surprised",
}
_NO_EMOTION = {
    "xxx": "the raters do not agree on an emotion (xxx)",
    "oth": "most raters perceived another emotion (oth)",
}
_SEXES = {"F": "female", "M": "male"}


@settings
class Iemocap(CorpusReader):
    """Reads the utterances of IEMOCAP with the labels of ``dialog/EmoEvaluation``.

    A speaker is a session with the sex of who speaks (``Ses01F``); the letter at the beginning of
    a dialog's name is who wears the markers. ``excited`` and ``frustrated`` are labels besides the
    shared ones. Utterances without a majority emotion (``xxx``, ``oth``) are left out and counted.
    Recordings of whole dialogs are not read.

    Parameters
    ----------
    merge_excited : bool
        Read excited as happy, as the usual evaluation with four classes does
        (``--emotions angry,happy,neutral,sad``).

    Notes
    -----
    Source: Busso et al. (2008), sections 3 and 5; the files of its release.
    """

    merge_excited: bool = False

    name = "iemocap"
    path_pattern = rf"(^|/){_DIALOG}(_[FM]\w{{3}})?\.\w+$"
    info = CorpusInfo(
        title="IEMOCAP, the Interactive Emotional Dyadic Motion Capture database",
        license="for research, after signing its license",
        citation=(
            "Busso, C., Bulut, M., Lee, C.-C., Kazemzadeh, A., Mower, E., Kim, S., Chang, J. N., "
            "Lee, S., & Narayanan, S. S. (2008). IEMOCAP: Interactive emotional dyadic motion "
            "capture database. Language Resources and Evaluation 42(4), 335-359. "
            "doi:10.1007/s10579-008-9076-6"
        ),
        url="https://sail.usc.edu/iemocap/",
        tree=(
            "IEMOCAP_full_release/\n"
            "  Session1/dialog/EmoEvaluation/Ses01F_impro01.txt    labels\n"
            "  Session1/sentences/wav/Ses01F_impro01/Ses01F_impro01_F000.wav\n"
            "  Session2/ ... Session5/"
        ),
        example="Session1/sentences/wav/Ses01F_impro01/Ses01F_impro01_F000.wav",
        further_emotions=("excited", "frustrated"),
    )

    def read(self, root: Path) -> Corpus:
        """Join the utterances below `root` with their labels."""
        files, problems = group_media(root, AUDIO_SUFFIXES | VIDEO_SUFFIXES, _assign)
        codes = dict(_labels(root))
        if files and not codes:
            problems.insert(0, Problem("dialog/EmoEvaluation", "Not found: there are no labels."))
        clips = []
        left_out: Counter[str] = Counter()
        for utterance, copies in files.items():
            code = codes.get(utterance)
            if code in _NO_EMOTION:
                left_out[_NO_EMOTION[code]] += 1
            elif code is not None:
                clips.append(self._clip(utterance, code, copies))
            elif codes:
                path = next(iter(copies.values())).relative_to(root).as_posix()
                problems.append(Problem(path, "dialog/EmoEvaluation has no label for it."))
        return self.collect(root, clips, problems, left_out=left_out)

    def missing(self, corpus: Corpus) -> tuple[str, ...]:
        """Labeled utterances that were not found."""
        return tuple(
            sorted(
                utterance
                for utterance, code in _labels(corpus.root)
                if code not in _NO_EMOTION and utterance not in corpus.by_id
            )
        )

    def _clip(self, utterance: str, code: str, copies: dict[str, Path]) -> Clip:
        if code not in _CODES:
            raise LabelError(
                f"Unknown emotion code {code!r} of {utterance} in dialog/EmoEvaluation. IEMOCAP "
                f"has {', '.join((*_CODES, *_NO_EMOTION))}."
            )
        match = _UTTERANCE.fullmatch(utterance)
        assert match  # `_assign` has checked it
        merged = self.merge_excited and code == "exc"
        return Clip(
            clip_id=utterance,
            speaker=utterance[:5] + match["sex"],
            emotion="happy" if merged else _CODES[code],
            video=copies.get("video"),
            audio=copies.get("audio") or copies.get("video"),
            sex=_SEXES[match["sex"]],
        )


def _assign(place: Path) -> tuple[str, str] | str | None:
    if _UTTERANCE.fullmatch(place.stem):
        return place.stem, media_kind(place)
    if re.fullmatch(_DIALOG, place.stem):
        return None  # a whole dialog
    return f"The name is not like {Iemocap.info.example}."


def _labels(root: Path) -> Iterator[tuple[str, str]]:
    """Utterances and their codes, from the tables of the dialogs."""
    for table in find_named(root, rf"{_DIALOG}\.txt"):
        if table.parent.name == "EmoEvaluation":  # its subfolders hold single raters' answers
            rows = (_ROW.match(line) for line in read_lines(table))
            yield from ((row["utterance"], row["code"].lower()) for row in rows if row)
