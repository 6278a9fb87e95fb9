"""Runs on one corpus, as the reproduction machinery asks for them."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from aver.corpora.clip import Clip
from aver.corpora.corpus import Corpus
from aver.errors import MediaError
from aver.evaluation.clip_facts import clip_facts
from aver.evaluation.evaluation import Evaluation
from aver.evaluation.experiment import Experiment, run_experiment
from aver.evaluation.run_request import RunRequest
from aver.features.store import FeatureStore


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
            [*clip_facts(clip), clip.units_row, *self._content_keys(clip)] for clip in self.corpus
        ]
        text = json.dumps(facts, sort_keys=True)
        return f"{self.corpus.name}-{hashlib.sha256(text.encode()).hexdigest()[:12]}"

    def _content_keys(self, clip: Clip) -> list[str]:
        """Of pictures, sound and action units; empty where there is no file, or a bad one."""
        keys = []
        for path in (clip.video, clip.sound, clip.units):
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
