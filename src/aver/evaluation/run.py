"""Runs on one corpus, as the reproduction machinery asks for them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from aver.corpora.clip import Clip
from aver.corpora.corpus import Corpus
from aver.errors import MediaError
from aver.evaluation.evaluation import Evaluation
from aver.evaluation.evaluation_folder import load_evaluation, save_evaluation
from aver.evaluation.experiment import Experiment, run_experiment
from aver.evaluation.fold_run import clip_facts
from aver.features.store import FeatureStore
from aver.models.base.presets import load_preset
from aver.settings import settings_to_mapping
from aver.splits.rule import make_split, on_validation
from aver.splits.split import Split

ProtocolKind = Literal["paper", "clean"]


@dataclass(frozen=True)
class SystemChoice:
    """A preset with changes.

    Parameters
    ----------
    preset : str
    overrides : mapping of str to JSON value
        By dotted key, as for `aver.models.base.presets.load_preset`.
    name : str
        For tables.
    draws : bool
        Whether chance has a part in its training; where it has none, one seed is enough.
    """

    preset: str
    overrides: Mapping[str, Any] = field(default_factory=dict)
    name: str = ""
    draws: bool = True


@dataclass(frozen=True)
class Protocol:
    """How clips are divided, and whether the system may leak by itself.

    Parameters
    ----------
    kind : {"paper", "clean"}
    rule : str
        Registered name of a split rule.
    rule_settings : mapping of str to JSON value
    leaking : bool
        Run the system's own leaking protocol (``fit_predict_leaking``).
    predicted : {"test", "validation"}
        For which clips of each fold; validation clips for comparing settings, see
        `aver.splits.rule.on_validation`.
    """

    kind: ProtocolKind
    rule: str
    rule_settings: Mapping[str, Any] = field(default_factory=dict)
    leaking: bool = False
    predicted: Literal["test", "validation"] = "test"

    @property
    def mark(self) -> str:
        """What titles add where it is not test clips that are answered."""
        return ", validation clips" if self.predicted == "validation" else ""

    def split(self, corpus: Corpus) -> Split:
        """The split of a corpus under this protocol.

        Raises
        ------
        SettingsError, SplitError, LabelError
            As `aver.splits.rule.make_split` and `aver.splits.rule.on_validation`.
        """
        made = make_split(corpus, self.rule, **self.rule_settings)
        return on_validation(made) if self.predicted == "validation" else made


def folds_of_speakers(speakers: int) -> Protocol:
    """The clean protocol for a corpus of so many speakers: five folds, or each alone below ten."""
    if speakers < 10:
        return Protocol("clean", "leave-one-speaker-out")
    return Protocol("clean", "speaker-kfold", {"folds": 5})


@dataclass(frozen=True)
class RunRequest:
    """One system under one protocol with one seed.

    Parameters
    ----------
    system : SystemChoice
    protocol : Protocol
    seed : int
    corpus_key : str
        Tells corpora apart: name and content. Runs on another corpus are other runs.
    """

    system: SystemChoice
    protocol: Protocol
    seed: int
    corpus_key: str

    @property
    def hash(self) -> str:
        """Twelve hexadecimal digits; equal for requests that differ in names only.

        It is made of the settings as they resolve, so that a preset that changed asks for new runs.
        """
        model, settings = load_preset(self.system.preset, self.system.overrides)
        said = {
            "model": model.name,
            "settings": settings_to_mapping(settings),
            "rule": self.protocol.rule,
            "rule_settings": dict(self.protocol.rule_settings),
            "leaking": self.protocol.leaking,
            "seed": self.seed,
            "corpus": self.corpus_key,
            **({"predicted": "validation"} if self.protocol.predicted == "validation" else {}),
        }
        text = json.dumps(said, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:12]


Evaluate = Callable[[RunRequest, Path], Evaluation]
"""Makes a run in the folder given, going on with what an interrupted one left there."""


class RunShelf:
    """Finished runs below one folder, found by what was asked for.

    Parameters
    ----------
    folder : Path
        Each run gets a folder of its own below, named by the request's hash.
    evaluate : callable
        Makes a run that is not there yet.
    """

    def __init__(self, folder: Path, evaluate: Evaluate) -> None:
        self.folder = folder
        self._evaluate = evaluate

    def place(self, request: RunRequest) -> Path:
        """The run's folder."""
        return self.folder / request.hash

    def has(self, request: RunRequest) -> bool:
        """Whether the run is finished."""
        return (self.place(request) / "evaluation.json").exists()

    def get(self, request: RunRequest) -> Evaluation:
        """The run, made now if it is not there."""
        place = self.place(request)
        if not self.has(request):
            evaluation = self._evaluate(request, place)
            if not self.has(request):
                save_evaluation(evaluation, place)
        found = load_evaluation(place)
        return replace(found, system=request.system.name or found.system)


@dataclass(frozen=True)
class CorpusRuns:
    """Makes the run that a request asks for; called by a `RunShelf`.

    Parameters
    ----------
    corpus : Corpus
    store : FeatureStore
    workers : int >= 1
    strict : bool
        Make a clip that cannot be used an error.
    command : str
        The command line that repeats the runs, for the record.
    """

    corpus: Corpus
    store: FeatureStore
    workers: int = 1
    strict: bool = False
    command: str = ""

    @cached_property
    def key(self) -> str:
        """Tells corpora apart: name, clips, labels, content of the files; not where they lie."""
        facts = [
            [*clip_facts(clip), clip.action_units_row, *self._content_keys(clip)]
            for clip in self.corpus
        ]
        text = json.dumps(facts, sort_keys=True)
        return f"{self.corpus.name}-{hashlib.sha256(text.encode()).hexdigest()[:12]}"

    def _content_keys(self, clip: Clip) -> list[str]:
        """Of pictures, sound and action units; empty where there is no file, or a bad one."""
        keys = []
        for path in (clip.video, clip.audio, clip.action_units):
            try:
                keys.append(self.store.file_key(path) if path else "")
            except MediaError:
                keys.append("")  # the run itself says so, and goes on without the clip
        return keys

    def __call__(self, request: RunRequest, folder: Path) -> Evaluation:
        """Run every fold of one request in `folder`."""
        protocol = request.protocol
        experiment = Experiment(
            self.corpus,
            protocol.split(self.corpus),
            request.system.preset,
            request.system.overrides,
            (request.seed,),
            name=request.system.name,
            leaking=protocol.leaking,
            command=self.command,
        )
        result = run_experiment(
            experiment, folder, store=self.store, workers=self.workers, strict=self.strict
        )
        return result.evaluation
