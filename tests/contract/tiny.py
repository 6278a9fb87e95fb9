"""Settings of every registered recognizer that train within seconds on planted features."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from aver.features.store import FeatureSource
from aver.models.base.recognizer import Recognizer
from aver.models.baselines.functionals import StatisticsSettings, SvmSettings
from aver.models.baselines.late_fusion import LateFusionSettings
from aver.models.baselines.majority import MajoritySettings
from aver.models.cross_attention.settings import CrossAttentionSettings
from aver.models.expert_fusion.settings import ExpertFusionSettings, ExpertSettings
from aver.models.layers.frame_encoder import FrameEncoderSettings
from aver.models.layers.rate_coding import InputSettings, RateCoding
from aver.models.layers.spiking_layer import DynamicsSettings
from aver.models.mrpn.settings import BranchSettings, MRPNSettings
from aver.models.snn_cross_modal.settings import (
    EarlyFusionSettings,
    LayerSettings,
    OneLayerSettings,
    TwoLayerSettings,
)
from aver.models.synch_graph.settings import GraphSettings, RecurrentSettings, SynchGraphSettings
from aver.models.temporal_aggregation.settings import TemporalAggregationSettings
from aver.training.settings import TrainingSettings


def tiny(kind: type[Recognizer], store: FeatureSource, **changes: Any) -> Any:
    """A recognizer of that kind, small enough for the contract tests.

    Parameters
    ----------
    kind : type of Recognizer
    store : FeatureSource
    changes
        Settings that replace those of `TINY`.
    """
    return kind(replace(TINY[kind.name], **changes), store)


DYNAMICS = DynamicsSettings(
    intensity=8.0,
    max_retries=0,
    stimulus_ms=100.0,
    rest_ms=20.0,
    theta_step_mv=0.02,
    to_excitatory=3.0,
    normal_sum_per_input=0.6,
)
AUDIO_INPUT: dict[str, Any] = {
    "feature": "mfcc",
    "feature_settings": {"coefficients": 8, "frame_count": 8},
    "window": (2, 8),
    "stride": (2, 8),
}
VIDEO_INPUT: dict[str, Any] = {
    "feature": "laplacian-crops",
    "feature_settings": {"size_px": 8, "image_count": 3, "crops": {"size_px": 8}},
    "coding": RateCoding(over="all"),
    "window": (2, 8),
    "stride": (2, 8),
}
AUDIO_LAYER = LayerSettings(**AUDIO_INPUT, features=4, dynamics=DYNAMICS)
VIDEO_LAYER = LayerSettings(**VIDEO_INPUT, features=4, dynamics=DYNAMICS)

TINY: dict[str, Any] = {
    "majority": MajoritySettings(),
    "statistics-logistic": StatisticsSettings(),
    "statistics-svm": SvmSettings(),
    "late-fusion": LateFusionSettings(),
    "expert-fusion": ExpertFusionSettings(
        experts={
            "video": ExpertSettings(feature="face-functionals"),
            "audio": ExpertSettings(feature="audio-functionals"),
        }
    ),
    "cross-attention": CrossAttentionSettings(
        branches={
            "video": FrameEncoderSettings(
                feature="face-functionals", extractor="identity", standardize="train"
            ),
            "audio": FrameEncoderSettings(
                feature="spectrogram-segments",
                feature_settings={"band_count": 8, "column_count": 10},
                extractor="band-functionals",
                rows=8,
                standardize="train",
            ),
        },
        size=16,
        heads=2,
        hidden=16,
        training=TrainingSettings(epochs=8, batch_size=32, learning_rate=1e-2, patience=15),
    ),
    "mrpn": MRPNSettings(
        branches={
            modality: BranchSettings(
                feature=f"{name}-functionals",
                extractor="identity",
                standardize="train",
                aggregator="statistics",
            )
            for modality, name in (("video", "face"), ("audio", "audio"))
        },
        hidden=16,
        training=TrainingSettings(epochs=15, batch_size=32, learning_rate=1e-2, patience=15),
    ),
    "temporal-aggregation": TemporalAggregationSettings(
        segments=2,
        images={"size_px": 16},
        gray=True,
        band_count=8,
        column_count=8,
        channels=(8, 8),
        training=TrainingSettings(
            epochs=8, batch_size=16, optimizer="sgd", learning_rate=0.02, schedule="step"
        ),
    ),
    "snn-audio": OneLayerSettings(layer=AUDIO_LAYER),
    "snn-video": OneLayerSettings(layer=VIDEO_LAYER),
    "snn-cross-modal": TwoLayerSettings(audio=AUDIO_LAYER, video=VIDEO_LAYER),
    "snn-early-fusion": EarlyFusionSettings(
        audio=AUDIO_LAYER,
        video=VIDEO_LAYER,
        features=16,
        dynamics=replace(DYNAMICS, normal_sum_per_input=0.8),
    ),
    "synch-graph": SynchGraphSettings(
        inputs={"video": InputSettings(**VIDEO_INPUT), "audio": InputSettings(**AUDIO_INPUT)},
        spiking=RecurrentSettings(maps=4, dynamics=DYNAMICS, link_gain=0.2),
        graph=GraphSettings(encoding="neuron", hidden=16, layers=2, dropout=0.2),
        training=TrainingSettings(epochs=60, learning_rate=2e-2, schedule="cosine"),
    ),
}
"""By registered name."""
