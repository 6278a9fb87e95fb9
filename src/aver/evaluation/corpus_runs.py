"""Runs on one corpus, as the reproduction machinery asks for them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from aver.corpora.corpus import Corpus
from aver.evaluation.evaluation import Evaluation
from aver.evaluation.experiment import Experiment, run_experiment
from aver.evaluation.run_request import RunRequest
from aver.features.store import FeatureStore
from aver.splits.rule import make_split


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

    @property
    def key(self) -> str:
        """Tells corpora apart: name, clips, speakers and labels; not where they lie."""
        facts = [(clip.clip_id, clip.speaker, clip.emotion) for clip in self.corpus]
        return f"{self.corpus.name}-{hashlib.sha256(repr(facts).encode()).hexdigest()[:12]}"

    def __call__(self, request: RunRequest, folder: Path) -> Evaluation:
        """Run every fold of one request in `folder`."""
        protocol = request.protocol
        experiment = Experiment(
            self.corpus,
            make_split(self.corpus, protocol.rule, **protocol.rule_settings),
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
