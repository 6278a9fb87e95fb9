"""`Selection`: a part of a corpus, by emotion, speaker or channel."""

from __future__ import annotations

from dataclasses import dataclass

from aver.corpora.corpus import Corpus
from aver.emotions import parse_emotion
from aver.errors import CorpusError, LabelError


@dataclass(frozen=True)
class Selection:
    """Which clips of a corpus to keep; what is left empty keeps all.

    Parameters
    ----------
    emotions : tuple of str
        Classes to keep. Papers 1 and 2 use ``("happy", "sad", "angry", "fearful", "disgust",
        "surprised")``. Clips without a label are dropped when classes are named.
    speakers : tuple of str
        Speakers to keep.
    channel : {"", "speech", "song"}
        Vocal channel to keep.
    """

    emotions: tuple[str, ...] = ()
    speakers: tuple[str, ...] = ()
    channel: str = ""

    def apply(self, corpus: Corpus) -> Corpus:
        """The smaller corpus.

        Raises
        ------
        LabelError
            If an emotion is unknown, or not in the corpus.
        CorpusError
            If a speaker is not in the corpus, or no clip is left.
        """
        emotions = {parse_emotion(word, "the emotions asked for") for word in self.emotions}
        absent = sorted(emotions.difference(corpus.classes))
        if absent:
            raise LabelError(
                f"The corpus at {corpus.root} has no clip that is {absent[0]!r}. It has: "
                f"{', '.join(corpus.classes) or 'no labels'}."
            )
        strangers = sorted(set(self.speakers).difference(corpus.speakers))
        if strangers:
            raise CorpusError(
                f"The corpus at {corpus.root} has no speaker {strangers[0]!r}. It has: "
                f"{', '.join(corpus.speakers) or 'none'}."
            )
        return corpus.where(
            lambda clip: (
                (not emotions or clip.emotion in emotions)
                and (not self.speakers or clip.speaker in self.speakers)
                and (not self.channel or clip.channel == self.channel)
            ),
            f"asked for were {self}",
        )
