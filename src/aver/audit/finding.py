"""`Finding`: one thing that an audit found, and where."""

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


class Level(StrEnum):
    """How bad a finding is. A leak makes `aver audit` exit with 1, the others with 0."""

    LEAK = "leak"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True)
class Kind:
    """One thing that an audit looks for.

    Parameters
    ----------
    name : str
        Stable key, as in JSON and SARIF.
    level : Level
    title : str
        A few words.
    meaning : str
        Why it matters, one sentence.
    advice : str
        What to do, one sentence.
    needs : {"names", "audio", "images", "media", "record"}
        What has to be looked at to find it.
    """

    name: str
    level: Level
    title: str
    meaning: str
    advice: str
    needs: Literal["names", "audio", "images", "media", "record"] = "names"


_ALL = (
    Kind(
        "shared-clips",
        Level.LEAK,
        "a clip in two subsets",
        "The recogniser is tested on what it has learned by heart.",
        "Keep the clip in one subset.",
    ),
    Kind(
        SHARED_PERFORMANCES,
        Level.LEAK,
        "one performance in two subsets",
        "Two files of one performance (two containers, two encodings) differ in nothing that "
        "matters, and two cuts of one recording in little: the test clip was seen in training.",
        "Keep all files of a performance in one subset.",
    ),
    Kind(
        "derived-copies",
        Level.LEAK,
        "augmented or cut copies in two subsets",
        "A copy with noise, or a piece of the same recording, tells the answer.",
        "Split first, then augment or cut the training clips.",
    ),
    Kind(
        SHARED_SPEAKERS,
        Level.LEAK,
        "a speaker in two subsets",
        "The score tells how well known people are recognised, not new ones.",
        "Divide by speaker; 'aver split make' does.",
    ),
    Kind(
        "shared-audio",
        Level.LEAK,
        "the same sound in two subsets",
        "By their fingerprints the files hold one recording, whatever their names say.",
        "Keep one of them, or both in one subset.",
        needs="audio",
    ),
    Kind(
        "shared-images",
        Level.LEAK,
        "the same pictures in two subsets",
        "By their hashes the files show one and the same picture or film.",
        "Keep one of them, or both in one subset.",
        needs="images",
    ),
    Kind(
        VALIDATION_IS_TEST,
        Level.LEAK,
        "validation equals test",
        "Whatever was chosen by validation (the epoch, the rate) was chosen on the test clips.",
        "Take validation clips from other speakers than the test's.",
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
        "The answers were at hand when the answers were given.",
        "Use labels of training and validation clips only.",
        needs="record",
    ),
    Kind(
        "leaking-protocol",
        Level.LEAK,
        "a protocol that says it leaks",
        "Split or run follow a protocol that is known to leak, by their own account.",
        "Put the clean protocol's result beside it.",
    ),
    Kind(
        UNKNOWN_SPEAKERS,
        Level.WARNING,
        "speakers unknown",
        "Whether speakers are shared cannot be said: the audit is blind to the commonest leak.",
        "Name the speakers: --pattern, --column speaker=..., or --corpus.",
    ),
    Kind(
        "untested-speakers",
        Level.WARNING,
        "speakers never tested",
        "The mean over the folds is a mean over some of the speakers only.",
        "Let every speaker be tested in one fold, or say who was left out.",
    ),
    Kind(
        "class-imbalance",
        Level.WARNING,
        "class shares differ between subsets",
        "A recogniser that learned the training's shares is judged by others.",
        "Balance the subsets, or report unweighted average recall.",
    ),
    Kind(
        "sex-imbalance",
        Level.WARNING,
        "shares of the sexes differ between subsets",
        "Voices and faces of one sex are tested more than they were learned.",
        "Deal speakers of each sex evenly, or report by sex.",
    ),
    Kind(
        "repeated-clips",
        Level.WARNING,
        "a clip twice in one subset",
        "It counts double, in training or in the score.",
        "List every clip once.",
    ),
    Kind(
        "unknown-clips",
        Level.WARNING,
        "clips that the corpus lacks",
        "They were audited by name only.",
        "Give the corpus that the split was made for.",
    ),
    Kind(
        "unknown-subsets",
        Level.WARNING,
        "clips of no known subset",
        "They were not audited: the list puts them where no train, validation or test is named.",
        "Name the subsets train, validation and test, or take the clips off the list.",
    ),
    Kind(
        "contradicting-labels",
        Level.WARNING,
        "one content, two labels",
        "One of the labels is wrong.",
        "Look at both and drop one.",
        needs="media",
    ),
    Kind(
        "empty-subset",
        Level.WARNING,
        "a subset without clips",
        "Nothing can be learned, or nothing tested.",
        "Name training and test clips.",
    ),
    Kind(
        "shared-sentences",
        Level.NOTE,
        "sentences said in all subsets",
        "Acted corpora have few sentences: the score holds for known words, not for free speech.",
        "Say so beside the score, or divide by sentence as well.",
    ),
    Kind(
        "held-out-test",
        Level.NOTE,
        "one test subset only",
        "Speakers outside it are never tested, and the score depends on who is in it.",
        "With few speakers cross-validate.",
    ),
    Kind(
        "no-validation",
        Level.NOTE,
        "no validation subset",
        "Whatever is chosen in training has to be chosen on training clips, or it is on test.",
        "Take some training speakers for validation.",
    ),
    Kind(
        "doubles",
        Level.NOTE,
        "the same content twice within a subset",
        "It counts double, in training or in the score.",
        "Keep one of each.",
        needs="media",
    ),
    Kind(
        "unreadable-media",
        Level.NOTE,
        "media that could not be compared",
        "For these files only the names were audited.",
        "Fetch them again; 'aver corpus check' says what is wrong with each.",
        needs="media",
    ),
    Kind(
        "no-record",
        Level.NOTE,
        "nothing recorded about fitting",
        "The run does not say what it was fitted on, nor which labels it used.",
        "Let the recogniser's card hold 'fitted_on' and 'labels_used'.",
        needs="record",
    ),
)

KINDS: dict[str, Kind] = {kind.name: kind for kind in _ALL}
"""All kinds by name, in the order in which reports list them."""


@dataclass(frozen=True)
class Finding:
    """One kind of fault at one place.

    Parameters
    ----------
    kind : str
        A key of `aver.audit.finding.KINDS`.
    message : str
        One whole sentence with the numbers.
    fold : int or None
        Counted from 1; None where the whole split is meant.
    subsets : tuple of str
        The subsets concerned, for instance ``("train", "test")``.
    subjects : tuple of str
        All speakers, clips, sentences or classes concerned, sorted; pairs of clips are written
        ``a = b``.
    declared : bool
        Whether the split itself says so. A declared leak is still a leak.
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
        """Where, in words.

        Examples
        --------
        >>> Finding("shared-speakers", "", fold=2, subsets=("train", "test")).place
        'fold 2, train and test'
        """
        fold = f"fold {self.fold}" if self.fold is not None else ""
        return ", ".join(word for word in (fold, " and ".join(self.subsets)) if word)

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
