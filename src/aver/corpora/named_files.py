"""`NamedFilesReader`: for corpora whose paths state everything that is known about a clip."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

from aver.corpora.clip import Clip
from aver.corpora.corpus import Corpus, CorpusReader
from aver.corpora.files import AUDIO_SUFFIXES, group_media, media_kind
from aver.errors import LabelError


class NamedFilesReader(CorpusReader):
    """Base of readers of corpora that need no table.

    `path_pattern` has the named groups ``emotion`` and any of ``speaker``, ``sex``, ``sentence``,
    ``take``, ``intensity`` and ``subset``; it is searched for in the path of each file below the
    corpus folder. A video (or image) and an audio file of one clip are joined.
    """

    codes: ClassVar[Mapping[str, str]]
    """The corpus's codes for emotions, in lower case, and their labels."""
    sexes: ClassVar[Mapping[str, str]] = {}
    """Speakers, or codes of the group ``sex``, in lower case, and ``female`` or ``male``."""
    suffixes: ClassVar[Collection[str]] = AUDIO_SUFFIXES
    unlabeled: ClassVar[str] = "the corpus gives them no emotion"
    """Why clips that `describe` gives no emotion are left out."""

    def read(self, root: Path) -> Corpus:
        """Read the media files below `root` whose paths fit the pattern."""
        clips: dict[str, Clip] = {}

        def assign(place: Path) -> tuple[str, str] | str:
            match = re.search(self.path_pattern, place.as_posix())
            if match is None:
                return f"The name is not like {self.info.example}."
            clip = self.describe(match, place)
            clips.setdefault(clip.clip_id, clip)
            return clip.clip_id, media_kind(place)

        files, problems = group_media(root, self.suffixes, assign)
        found = [
            replace(
                clips[clip_id],
                video=copies.get("video") or copies.get("image"),
                audio=copies.get("audio") or copies.get("video"),
            )
            for clip_id, copies in files.items()
        ]
        labeled = [clip for clip in found if clip.emotion is not None]
        unlabeled = len(found) - len(labeled)
        left_out = {self.unlabeled: unlabeled} if unlabeled else {}
        return self.collect(root, labeled, problems, left_out=left_out)

    def identify(self, match: re.Match[str], place: Path) -> str:
        """The id of the clip of a file: by default its name without the suffix."""
        return place.stem

    def describe(self, match: re.Match[str], place: Path) -> Clip:
        """The clip of a file, without the file; readers change what their corpus needs.

        Parameters
        ----------
        match : re.Match
            Of `path_pattern`.
        place : Path
            Of the file, below the corpus folder.

        Raises
        ------
        LabelError
            If the code for the emotion is unknown.
        """
        facts = match.groupdict()
        speaker = facts.get("speaker")
        return Clip(
            clip_id=self.identify(match, place),
            speaker=speaker,
            emotion=self.emotion_of(facts["emotion"], place),
            sex=self.sexes.get((facts.get("sex") or speaker or "").lower()),
            intensity=facts.get("intensity"),
            sentence=facts.get("sentence"),
            take=facts.get("take") or None,
            subset=facts.get("subset"),
        )

    def emotion_of(self, code: str, place: Path) -> str:
        """The label of a code.

        Raises
        ------
        LabelError
            If the corpus has no such code; the message names the file.
        """
        if code.lower() not in self.codes:
            known = ", ".join(f"{key} ({label})" for key, label in self.codes.items())
            raise LabelError(
                f"Unknown emotion code {code!r} in {place.as_posix()}. {self.name} has {known}."
            )
        return self.codes[code.lower()]
