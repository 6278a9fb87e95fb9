"""Rules that train on some corpora and test on others, for corpora that `combine` has joined."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Annotated

from aver.corpora.clip import Clip
from aver.corpora.combine import part_of
from aver.corpora.corpus import Corpus
from aver.errors import SplitError
from aver.settings import Field, settings
from aver.splits.rule import SplitRule
from aver.splits.speaker_rules import SpeakerKFold, sexes_in_turn, speakers_by_sex
from aver.splits.split import Fold

Share = Annotated[float, Field(gt=0, lt=1)]
"""Share of the speakers of a training corpus who validate."""


@settings
class CrossCorpus(SplitRule):
    """One fold: some corpora train, others are tested completely.

    Of each training corpus some speakers validate, so that every choice is made without the test
    corpora. A training corpus with one speaker only trains; at least one training corpus must have
    two speakers.

    Parameters
    ----------
    train, test : tuple of str
        Names of corpora. If one of the two is empty, it is all corpora that the other does not
        name.
    validation_share : float in (0, 1)
        Share of the speakers of each training corpus who validate, rounded; at least one of them
        validates and at least one trains. The sexes are drawn in turn.
    seed : int
        Draws the validation speakers.
    """

    train: tuple[str, ...] = ()
    test: tuple[str, ...] = ()
    validation_share: Share = 0.2
    seed: int = 0

    name = "cross-corpus"
    summary = "Some corpora train (with validation speakers), others are tested; for joined corpora"
    source = "cross-corpus evaluation, e.g. Schuller et al. 2010; EmoBox, Ma et al. 2024"

    def divide(self, corpus: Corpus) -> tuple[Fold, ...]:
        """Choose the validation speakers and make the fold."""
        names = _parts(corpus, self.name)
        for name in (*self.train, *self.test):
            if name not in names:
                raise SplitError(
                    f"There is no corpus {name!r} among those that are joined. They are: "
                    f"{', '.join(names)}."
                )
        if not (self.train or self.test):
            raise SplitError(
                "The rule 'cross-corpus' needs the names of the training or the test corpora "
                f"({', '.join(names)}), for example test={names[-1]}. To test each in turn, use "
                "'leave-one-corpus-out'."
            )
        train = self.train or tuple(name for name in names if name not in self.test)
        test = self.test or tuple(name for name in names if name not in self.train)
        shared = [name for name in train if name in test]
        if shared:
            raise SplitError(
                f"The corpus {shared[0]!r} cannot both train and be tested. Name it once."
            )
        for what, chosen in (("training", train), ("test", test)):
            if not chosen:
                raise SplitError(f"No corpus is left for the {what} subset. Add one.")
        return (training_fold(corpus, train, test, self.validation_share, self.seed),)


@settings
class LeaveOneCorpusOut(SplitRule):
    """Each corpus is tested in turn; all others train, as with `CrossCorpus`.

    Parameters
    ----------
    validation_share, seed
        As for `CrossCorpus`. A corpus has the same validation speakers in every fold.
    """

    validation_share: Share = 0.2
    seed: int = 0

    name = "leave-one-corpus-out"
    summary = "Each of the joined corpora is tested once; all others train"
    source = "cross-corpus evaluation, e.g. Schuller et al. 2010"

    def divide(self, corpus: Corpus) -> tuple[Fold, ...]:
        """One fold per corpus, in the order in which they were joined."""
        names = _parts(corpus, self.name)
        return tuple(
            training_fold(
                corpus,
                [other for other in names if other != name],
                [name],
                self.validation_share,
                self.seed,
            )
            for name in names
        )


@settings
class TrainOnOneCorpus(SplitRule):
    """Each corpus trains in turn and is tested on all others: a matrix of training and test corpus.

    Parameters
    ----------
    within_folds : int
        With 3 or more, each corpus is also tested on its own speakers in so many speaker-disjoint
        folds (`SpeakerKFold`): the diagonal of the matrix. 0: no diagonal.
    validation_share, seed
        As for `CrossCorpus`.
    """

    within_folds: Annotated[int, Field(ge=0)] = 0
    validation_share: Share = 0.2
    seed: int = 0

    name = "train-on-one-corpus"
    summary = "Each of the joined corpora trains once, all others are tested: a full matrix"
    source = "cross-corpus evaluation, e.g. Schuller et al. 2010; EmoBox, Ma et al. 2024"

    def divide(self, corpus: Corpus) -> tuple[Fold, ...]:
        """Of each corpus one fold that tests the others, then those within it."""
        names = _parts(corpus, self.name)
        folds: list[Fold] = []
        for name in names:
            others = [other for other in names if other != name]
            folds.append(training_fold(corpus, [name], others, self.validation_share, self.seed))
            if self.within_folds:
                clips = tuple(clip for clip in corpus if part_of(clip.clip_id) == name)
                alone = replace(corpus.parts[name], clips=clips)
                folds += SpeakerKFold(folds=self.within_folds, seed=self.seed).divide(alone)
        return tuple(folds)


def _parts(corpus: Corpus, rule: str) -> tuple[str, ...]:
    """Names of the joined corpora that have clips."""
    if not corpus.parts:
        raise SplitError(
            f"The rule {rule!r} is for several corpora that are joined; the corpus at "
            f"{corpus.root} is a single one. Name several (--corpora A B), or use a rule such as "
            "'speaker-kfold'."
        )
    present = {part_of(clip.clip_id) for clip in corpus}
    return tuple(name for name in corpus.parts if name in present)


def training_fold(
    corpus: Corpus, train: Sequence[str], test: Collection[str], share: float, seed: int
) -> Fold:
    """The fold that trains on some corpora, without their validation speakers, and tests others.

    Parameters
    ----------
    corpus : Corpus
        A joined one; a single one trains as a whole.
    train, test : names of corpora
        Without test corpora the fold has no test clips.
    share, seed
        See `CrossCorpus`.

    Raises
    ------
    SplitError
        If no training corpus has two speakers, or a training clip has no speaker.
    """
    by_part = {name: [c for c in corpus if part_of(c.clip_id) == name] for name in train}
    if not corpus.parts:
        by_part = {corpus.label: list(corpus)}
    validating = {
        speaker
        for name, clips in by_part.items()
        for speaker in _validation_speakers(name, clips, share, seed)
    }
    if not validating:
        raise SplitError(
            f"{' and '.join(train)}: no training corpus has two speakers, so none can validate. "
            "Add a training corpus with at least two speakers."
        )
    clips = [clip for part in by_part.values() for clip in part]
    return Fold(
        train=tuple(clip.clip_id for clip in clips if clip.speaker not in validating),
        validation=tuple(clip.clip_id for clip in clips if clip.speaker in validating),
        test=tuple(clip.clip_id for clip in corpus if part_of(clip.clip_id) in test),
    )


def _validation_speakers(name: str, clips: Sequence[Clip], share: float, seed: int) -> list[str]:
    """The speakers of a training corpus who validate; none of a single speaker."""
    unknown = next((clip for clip in clips if clip.speaker is None), None)
    if unknown is not None:
        raise SplitError(
            f"Clip {unknown.clip_id!r} has no speaker, so {name} cannot train: validation speakers "
            "could not be kept apart from training speakers. Name the speakers, or only test on "
            "this corpus."
        )
    by_sex = list(speakers_by_sex(clips, seed).values())
    speakers = sum(map(len, by_sex))
    return sexes_in_turn(by_sex, 0, min(max(1, round(share * speakers)), speakers - 1))
