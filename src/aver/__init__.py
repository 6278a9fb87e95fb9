"""Audio-video emotion recognition: train, evaluate, audit and predict.

The commands of the command line, as Python functions:

- `open_corpus`: a folder of clips, without opening any media;
- `combine`: several corpora as one, to train on some and test on others;
- `train`: fit one recognizer on one fold;
- `train_final`: fit the recognizer to use, on every clip;
- `evaluate`: fit and test on every fold, with baselines and confidence intervals;
- `extract`: any feature of clips as a table;
- `load`: a trained recognizer from its run folder;
- `predict`: the emotions of the user's own files, or of a `Recording` in memory;
- `check`: what aver sees in a file;
- `robustness`: the recognizers of a finished run on degraded media;
- `report`: one page, a model card and all tables on finished runs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aver.version import __version__

if TYPE_CHECKING:
    from aver.api import (
        check,
        evaluate,
        extract,
        load,
        predict,
        report,
        robustness,
        train,
        train_final,
    )
    from aver.corpora import combine, open_corpus
    from aver.media.recording import Recording

__all__ = [
    "Recording",
    "__version__",
    "check",
    "combine",
    "evaluate",
    "extract",
    "load",
    "open_corpus",
    "predict",
    "report",
    "robustness",
    "train",
    "train_final",
]


def __getattr__(name: str) -> Any:
    """Import a function when it is first used, so that ``import aver`` is quick."""
    if name not in __all__:
        raise AttributeError(f"module 'aver' has no attribute {name!r}")
    from aver import api

    return getattr(api, name)
