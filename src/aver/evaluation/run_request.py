"""`RunRequest`: a run that somebody asks for, said so exactly that it need not be made twice."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from aver.corpora.corpus import Corpus
from aver.models.presets import load_preset
from aver.settings import settings_to_mapping
from aver.splits.on_validation import on_validation
from aver.splits.rule import make_split
from aver.splits.split import Split

ProtocolKind = Literal["paper", "clean"]


@dataclass(frozen=True)
class SystemChoice:
    """A preset with changes.

    Parameters
    ----------
    preset : str
    overrides : mapping of str to JSON value
        By dotted key, as for `aver.models.presets.load_preset`.
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
    answered : {"test", "validation"}
        For which clips of each fold; validation clips for comparing settings, see
        `aver.splits.on_validation.on_validation`.
    """

    kind: ProtocolKind
    rule: str
    rule_settings: Mapping[str, Any] = field(default_factory=dict)
    leaking: bool = False
    answered: Literal["test", "validation"] = "test"

    @property
    def mark(self) -> str:
        """What titles add where it is not test clips that are answered."""
        return ", validation clips" if self.answered == "validation" else ""

    def split(self, corpus: Corpus) -> Split:
        """The split of a corpus under this protocol.

        Raises
        ------
        SettingsError, SplitError, LabelError
            As `aver.splits.rule.make_split` and `aver.splits.on_validation.on_validation`.
        """
        made = make_split(corpus, self.rule, **self.rule_settings)
        return on_validation(made) if self.answered == "validation" else made


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
            **({"answered": "validation"} if self.protocol.answered == "validation" else {}),
        }
        text = json.dumps(said, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:12]
