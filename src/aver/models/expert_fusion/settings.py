"""Settings of `aver.models.expert_fusion.recognizer.ExpertFusion`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Annotated, Any, Literal

from aver.errors import SettingsError
from aver.models.layers.score_classifier import Loss, Scaling
from aver.settings import Field, settings

Strengths = Annotated[tuple[Annotated[float, Field(gt=0)], ...], Field(min_length=1)]


@settings
class ExpertSettings:
    """The expert of one modality.

    Parameters
    ----------
    feature : str
        A feature that gives one vector per clip, or rows of vectors, whose mean is taken.
    feature_settings : mapping
        Its settings that differ from the defaults.
    classifier : {"logistic", "svm"}
    scaling, kernel_width, loss
        See `aver.models.layers.score_classifier.fit_svm`; the last two are for ``"svm"``.
    Cs : tuple of float
        Candidates for scikit-learn's ``C``, rising; chosen on the validation clips.
    """

    feature: str
    feature_settings: Mapping[str, Any] = field(default_factory=dict)
    classifier: Literal["logistic", "svm"] = "logistic"
    scaling: Scaling = "standard"
    kernel_width: Annotated[float, Field(gt=0)] = 2.0
    loss: Loss = "squared"
    Cs: Strengths = (0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0)


@settings
class ExpertFusionSettings:
    """Settings of `ExpertFusion`.

    Parameters
    ----------
    modalities : tuple of str
        Keys of `experts`.
    experts : mapping of str to ExpertSettings
    refit : bool
        Once ``C`` is chosen, fit again on training and validation clips together.

    Raises
    ------
    SettingsError
        If a modality is repeated or has no expert.
    """

    modalities: tuple[str, ...] = ("video", "audio")
    experts: Mapping[str, ExpertSettings] = field(
        default_factory=lambda: {
            "video": ExpertSettings(feature="face-embeddings"),
            "audio": ExpertSettings(
                feature="audio-functionals", classifier="svm", scaling="robust", Cs=(0.3, 1.0, 3.0)
            ),
        }
    )
    refit: bool = True

    def __post_init__(self) -> None:
        if not self.modalities or len(set(self.modalities)) < len(self.modalities):
            raise SettingsError(
                f"modalities must name at least one modality, each once, not {self.modalities}."
            )
        for modality in self.modalities:
            if modality not in self.experts:
                raise SettingsError(
                    f"There is no expert for the modality {modality!r}. "
                    f"Known are: {', '.join(self.experts)}."
                )
