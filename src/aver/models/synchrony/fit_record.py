"""`fit_record`: what Synch-Graph's parts were fitted on, and whose labels they used."""

from __future__ import annotations

from aver.models.synchrony.settings import SynchGraphSettings


def fit_record(
    settings: SynchGraphSettings, *, labels_of_test: bool
) -> dict[str, dict[str, list[str]]]:
    """For the model card; see `aver.audit.fit_record`.

    Parameters
    ----------
    settings : SynchGraphSettings
    labels_of_test : bool
        Whether label edges joined test clips.
    """
    used = {"weights": ["train"], "class shares": ["train"]}
    if settings.readout == "counts":
        if settings.counts.kind in ("logistic", "selective-vote"):
            used["strength and temperature"] = ["validation"]
    elif settings.training.keep == "best":
        used["epoch"] = ["validation"]
    if labels_of_test:
        used["label edges"] = ["train", "validation", "test"]
    elif settings.readout == "graph" and settings.graph.label_edges == "train":
        used["label edges"] = ["train"]
    fitted = {"scales of the rates": ["train"], "spiking network": ["train"]}
    return {"fitted_on": fitted, "labels_used": used}
