"""`Finding`: one fault of a split, and the table of all kinds of faults that an audit looks for."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal

from aver.splits.split import (
    SHARED_PERFORMANCES,
    SHARED_SPEAKERS,
    UNKNOWN_SPEAKERS,
    VALIDATION_IS_TEST,
)


@dataclass(frozen=True)
class Finding:
    """One kind of fault in one place.

    Parameters
    ----------
    kind : str
        A key of `KINDS`.
    message : str
        One whole sentence with the numbers.
    fold : int or None
        Counted from 1; None if the finding is about the whole split.
    subsets : tuple of str
        The subsets concerned, for instance ``("train", "test")``.
    subjects : tuple of str
        All speakers, clips, sentences or classes concerned, sorted; pairs of clips are written
        ``a = b``.
    declared : bool
        Whether the split itself declares it. A declared leak is still a leak.
    """

    kind: str
    message: str
    fold: int | None = None
    subsets: tuple[str, ...] = ()
    subjects: tuple[str, ...] = ()
    declared: bool = False

    @property
    def about(self) -> Kind:
        """Title, meaning and advice."""
        return KINDS[self.kind]

    @property
    def level(self) -> Level:
        """Leak, warning or note."""
        return self.about.level

    @property
    def place(self) -> str:
        """Fold and subsets as text.

        Examples
        --------
        >>> Finding("shared-speakers", "", fold=2, subsets=("train", "test")).place
        'fold 2, train and test'
        """
        fold = f"fold {self.fold}" if self.fold is not None else ""
        return ", ".join(text for text in (fold, " and ".join(self.subsets)) if text)

    def as_json(self) -> dict[str, Any]:
        """The finding as JSON values."""
        return {
            "kind": self.kind,
            "level": str(self.level),
            "fold": self.fold,
            "subsets": list(self.subsets),
            "message": self.message,
            "meaning": self.about.meaning,
            "advice": self.about.advice,
            "declared": self.declared,
            "count": len(self.subjects),
            "subjects": list(self.subjects),
        }


def counted(count: int, noun: str) -> str:
    """A count with its noun.

    Examples
    --------
    >>> counted(1, "clip"), counted(3, "clip")
    ('1 clip', '3 clips')
    """
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


class Level(StrEnum):
    """Severity of a finding. With a leak `aver audit` exits with status 1, otherwise with 0."""

    LEAK = "leak"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True)
class Kind:
    """One kind of fault that an audit looks for.

    Parameters
    ----------
    name : str
        Stable key, used in JSON and SARIF.
    level : Level
    title : str
        A few words.
    meaning : str
        Why it matters, one sentence.
    advice : str
        What to do, one sentence.
    needs : {"names", "audio", "images", "media", "record"}
        What the audit has to look at to find it.
    """

    name: str
    level: Level
    title: str
    meaning: str
    advice: str
    needs: Literal["names", "audio", "images", "media", "record"] = "names"


_KINDS = (
    Kind(
        "shared-clips",
        Level.LEAK,
        "a clip in two subsets",
        "The recognizer is tested on clips that it was trained on.",
        "Keep the clip in one subset.",
    ),
    Kind(
        SHARED_PERFORMANCES,
        Level.LEAK,
        "one performance in two subsets",
        "Two files of one performance (two containers, two encodings) or two cuts of one "
        "recording are nearly the same clip, so the test clip was seen in training.",
        "Keep all files of a performance in one subset.",
    ),
    Kind(
        "derived-copies",
        Level.LEAK,
        "augmented or cut copies in two subsets",
        "A copy with noise, or a piece of the same recording, reveals the label of the test clip.",
        "Split first, then augment or cut the training clips.",
    ),
    Kind(
        SHARED_SPEAKERS,
        Level.LEAK,
        "a speaker in two subsets",
        "The score holds for speakers seen in training, not for new speakers.",
        "Divide by speaker, as 'aver split make' does.",
    ),
    Kind(
        "shared-audio",
        Level.LEAK,
        "the same audio in two subsets",
        "By their fingerprints the files hold the same recording, whatever their names.",
        "Remove one of them, or keep both in one subset.",
        needs="audio",
    ),
    Kind(
        "shared-images",
        Level.LEAK,
        "the same images in two subsets",
        "By their perceptual hashes the files show the same image or video.",
        "Remove one of them, or keep both in one subset.",
        needs="images",
    ),
    Kind(
        VALIDATION_IS_TEST,
        Level.LEAK,
        "validation equals test",
        "Whatever is selected by validation (the epoch, the rate) is selected on the test clips.",
        "Take validation clips from other speakers than the test speakers.",
    ),
    Kind(
        "fitted-beyond-training",
        Level.LEAK,
        "fitted on more than the training clips",
        "A scaler or feature fitted on other subsets carries their statistics into training.",
        "Fit it on the training clips of each fold alone.",
        needs="record",
    ),
    Kind(
        "test-labels-used",
        Level.LEAK,
        "labels of test clips used",
        "The recognizer had access to the labels that it was to predict.",
        "Use labels of training and validation clips only.",
        needs="record",
    ),
    Kind(
        "leaking-protocol",
        Level.LEAK,
        "a protocol that declares a leak",
        "The split or the run declares that its protocol leaks.",
        "Report the result of a clean protocol beside it.",
    ),
    Kind(
        UNKNOWN_SPEAKERS,
        Level.WARNING,
        "speakers unknown",
        "The audit cannot tell whether speakers are shared, which is the most common leak.",
        "Name the speakers with --pattern, --column speaker=..., or --corpus.",
    ),
    Kind(
        "untested-speakers",
        Level.WARNING,
        "speakers never tested",
        "The mean over the folds covers some of the speakers only.",
        "Test every speaker in one fold, or report who was left out.",
    ),
    Kind(
        "class-imbalance",
        Level.WARNING,
        "class shares differ between subsets",
        "The recognizer is tested with other class frequencies than it was trained with.",
        "Balance the subsets, or report unweighted average recall.",
    ),
    Kind(
        "sex-imbalance",
        Level.WARNING,
        "shares of the sexes differ between subsets",
        "One sex is more frequent in test than in training.",
        "Divide the speakers of each sex evenly, or report results by sex.",
    ),
    Kind(
        "repeated-clips",
        Level.WARNING,
        "a clip twice in one subset",
        "It counts twice in training or in the score.",
        "List every clip once.",
    ),
    Kind(
        "unknown-clips",
        Level.WARNING,
        "clips that are not in the corpus",
        "They were audited by name only.",
        "Give the corpus that the split was made for.",
    ),
    Kind(
        "unknown-subsets",
        Level.WARNING,
        "clips of no known subset",
        "They were not audited: the list does not assign them to train, validation or test.",
        "Name the subsets train, validation and test, or remove the clips from the list.",
    ),
    Kind(
        "contradicting-labels",
        Level.WARNING,
        "same content, two labels",
        "One of the labels is wrong.",
        "Check both and remove one.",
        needs="media",
    ),
    Kind(
        "empty-subset",
        Level.WARNING,
        "a subset without clips",
        "There is nothing to train on, or nothing to test.",
        "Name training and test clips.",
    ),
    Kind(
        "shared-sentences",
        Level.NOTE,
        "the same sentences in all subsets",
        "Acted corpora have few sentences: the score holds for these, not for free speech.",
        "State it with the score, or divide by sentence as well.",
    ),
    Kind(
        "held-out-test",
        Level.NOTE,
        "a single test subset",
        "The other speakers are never tested, and the score depends on which ones are.",
        "With few speakers, cross-validate.",
    ),
    Kind(
        "no-validation",
        Level.NOTE,
        "no validation subset",
        "Whatever is selected in training has to be selected on training clips, not on test clips.",
        "Use some training speakers for validation.",
    ),
    Kind(
        "doubles",
        Level.NOTE,
        "the same content twice in one subset",
        "It counts twice in training or in the score.",
        "Keep one of each.",
        needs="media",
    ),
    Kind(
        "unreadable-media",
        Level.NOTE,
        "media that could not be compared",
        "Only the names of these files were audited.",
        "Fetch them again; 'aver corpus check' says what is wrong with each.",
        needs="media",
    ),
    Kind(
        "no-record",
        Level.NOTE,
        "no record of fitting",
        "The run does not record what it was fitted on and which labels it used.",
        "Store 'fitted_on' and 'labels_used' in the recognizer's card.",
        needs="record",
    ),
)

KINDS: dict[str, Kind] = {kind.name: kind for kind in _KINDS}
"""All kinds by name, in the order in which reports list them."""
