"""Cross-corpus evaluation: corpora without shared files, and a result per pair of corpora.

The split rules are in `aver.splits.corpus_rules`; everything else is an ordinary evaluation.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from aver.corpora.clip import Clip
from aver.corpora.combine import part_of
from aver.corpora.corpus import Corpus
from aver.errors import SettingsError
from aver.evaluation.evaluation import Evaluation
from aver.features.feature import Feature
from aver.splits.split import Split


@dataclass(frozen=True, eq=False)
class CorpusResult:
    """The predictions for one test corpus after training on some corpora.

    Parameters
    ----------
    trained : tuple of str
        Names of the training corpora.
    tested : str
        Name of the test corpus.
    evaluation : Evaluation
        Only of these folds and clips.
    """

    trained: tuple[str, ...]
    tested: str
    evaluation: Evaluation

    @property
    def within(self) -> bool:
        """Whether other speakers of the test corpus were trained on."""
        return self.tested in self.trained


def results_by_corpus(evaluation: Evaluation) -> tuple[CorpusResult, ...]:
    """Divide an evaluation of joined corpora by training corpora and test corpus.

    Parameters
    ----------
    evaluation : Evaluation

    Returns
    -------
    tuple of CorpusResult
        In the order of the folds and of the joined corpora; empty for a single corpus.
    """
    facts = evaluation.facts.get("corpora")
    if not facts:
        return ()
    folds_of: dict[tuple[str, ...], list[int]] = {}
    for fold, trained in facts["trained"].items():
        folds_of.setdefault(tuple(trained), []).append(int(fold))
    results = []
    for trained, folds in folds_of.items():
        chosen = np.isin(evaluation.folds, folds)
        for tested in facts["names"]:
            rows = chosen & (evaluation.clip_corpora == tested)
            if rows.any():
                results.append(CorpusResult(trained, tested, evaluation.rows(rows)))
    return tuple(results)


def crosses_corpora(evaluation: Evaluation) -> bool:
    """Whether corpora are joined and none is tested by a fold that trained on it."""
    results = results_by_corpus(evaluation)
    return bool(results) and not any(result.within for result in results)


def corpora_facts(corpus: Corpus, split: Split, fold_numbers: Sequence[int]) -> dict[str, object]:
    """What an evaluation of joined corpora records about them, as JSON values.

    Parameters
    ----------
    corpus : Corpus
        Joined.
    split : Split
    fold_numbers : sequence of int
        Of the folds of the split.

    Returns
    -------
    dict
        ``names`` of all corpora, ``trained``: names of the training corpora by the number of the
        fold, and ``notes``: how labels were reconciled.
    """
    return {
        "names": list(corpus.parts),
        "trained": {
            str(number): _present(corpus, fold.train)
            for number, fold in zip(fold_numbers, split.folds, strict=True)
        },
        "notes": list(corpus.notes),
    }


def _present(corpus: Corpus, clip_ids: Iterable[str]) -> list[str]:
    found = set(map(part_of, clip_ids))
    return [name for name in corpus.parts if name in found]


def check_apart(keys: Mapping[str, Mapping[str, Iterable[str]]]) -> None:
    """Refuse corpora that have a file in common, under whatever names.

    Parameters
    ----------
    keys : mapping of str to mapping of str to iterable of str
        By corpus and clip: hashes of the contents of its files. Empty texts are ignored.

    Raises
    ------
    SettingsError
        If two corpora have the same content.
    """
    owners: dict[str, str] = {}
    for corpus, clips in keys.items():
        shared: dict[str, list[str]] = {}
        for clip_id, contents in clips.items():
            others = {owners[key] for key in contents if key in owners} - {corpus}
            for other in others:
                shared.setdefault(other, []).append(clip_id)
            owners.update((key, corpus) for key in contents if key and key not in owners)
        for other, found in shared.items():
            raise SettingsError(
                f"{len(found)} clips of {corpus} have files that are also in {other}, for example "
                f"{found[0]}. Training and testing need corpora of different recordings."
            )


def check_modalities(
    system: str, features: Sequence[Feature], corpus: Corpus, split: Split
) -> tuple[str, ...]:
    """Check that what a system reads can be learned and is there in each test corpus.

    Parameters
    ----------
    system : str
        Name, for messages.
    features : sequence of Feature
        What it reads.
    corpus : Corpus
        Joined.
    split : Split

    Returns
    -------
    tuple of str
        A sentence for each corpus some of whose clips lack a modality. Their predictions use the
        other modalities and are flagged.

    Raises
    ------
    SettingsError
        If no training clip of a fold has some modality, or a test corpus has none of them.
    """
    by_modality = {feature.modality: feature for feature in features}
    for fold in split.folds:
        train, test = corpus.select(fold.train), corpus.select(fold.test)
        for modality, feature in by_modality.items():
            if not any(feature.paths(clip) for clip in train):
                others = ",".join(name for name in by_modality if name != modality)
                advice = f"Leave it out (--modalities {others}), or add" if others else "Add"
                raise SettingsError(
                    f"No training clip of {' and '.join(_present(corpus, fold.train))} has "
                    f"{_in_words(modality)}, which {system} reads. {advice} a training corpus that "
                    "has it."
                )
        for name in _present(corpus, fold.test):
            clips = [clip for clip in test if part_of(clip.clip_id) == name]
            if by_modality and not any(f.paths(c) for c in clips for f in by_modality.values()):
                raise SettingsError(
                    f"No clip of the test corpus {name} has "
                    f"{' or '.join(map(_in_words, by_modality))}, which {system} reads. Choose "
                    "another preset or test corpus."
                )
    return tuple(
        remark
        for name in corpus.parts
        for modality, feature in by_modality.items()
        if (remark := _lack(name, modality, feature, corpus))
    )


def _lack(name: str, modality: str, feature: Feature, corpus: Corpus) -> str:
    clips: list[Clip] = [clip for clip in corpus if part_of(clip.clip_id) == name]
    having = sum(bool(feature.paths(clip)) for clip in clips)
    if having == len(clips):
        return ""
    return f"{having} of {len(clips)} clips of {name} have {_in_words(modality)}."


def _in_words(modality: str) -> str:
    return modality.replace("_", " ")
