"""`make_readout`: the read-out that the settings name, untrained."""

from __future__ import annotations

from collections.abc import Mapping

from aver.models.synchrony.readout import Readout
from aver.models.synchrony.settings import SynchGraphSettings


def make_readout(
    settings: SynchGraphSettings, positions: Mapping[str, int], classes: int
) -> Readout:
    """Make a read-out of graphs or of counts.

    Parameters
    ----------
    settings : SynchGraphSettings
    positions : mapping of str to int
        Window positions of each modality.
    classes : int
    """
    if settings.readout == "counts":
        from aver.models.synchrony.count_readout import CountReadout

        return CountReadout(settings, positions, classes)
    # torch-geometric takes seconds to import; only those who train or answer wait.
    from aver.models.synchrony.graph_readout import GraphReadout

    return GraphReadout(settings, positions, classes)
