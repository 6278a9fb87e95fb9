"""`check_run_folder`: whether a run may go on in a folder, before anything there is touched."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from aver.errors import SettingsError
from aver.evaluation.fold_run import FoldRun


def check_run_folder(folder: Path, tasks: Sequence[FoldRun]) -> None:
    """Refuse a folder that holds finished folds of another run.

    A run may go on, and it may grow by more seeds. It may not leave out a fold or seed that lies
    there, because settings, split and figures would then no longer tell what the folder holds.

    Parameters
    ----------
    folder : Path
        The run folder; it need not exist.
    tasks : sequence of FoldRun
        All that the run is to do in it.

    Raises
    ------
    SettingsError
        If a finished fold has other settings, clips, labels or files, or is none of `tasks`.
    """
    for task in tasks:
        task.is_done()
    ours = {task.folder for task in tasks}
    finished = sorted(path.parent for path in (folder / "folds").glob("*/*/fold.json"))
    others = [path for path in finished if path not in ours]
    if others:
        raise SettingsError(
            f"{folder} holds {others[0].relative_to(folder)}, which this run leaves out. Run its "
            "seed too, choose another folder with --out, or remove this one."
        )
