"""`train_unpaired`: fused recognisers from faces here and voices there, paired by class."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from aver.corpora.clip import Clip
from aver.corpora.corpus import Corpus
from aver.emotions import in_canonical_order
from aver.errors import LabelError, SettingsError
from aver.evaluation.run import Run, clip_facts, digest
from aver.execution.files import write_json
from aver.features.face_embeddings import FaceEmbeddings
from aver.features.feature import Feature, FeatureRecord
from aver.features.speaker_adaptation import ADAPTED, Scale, SpeakerAdaptation
from aver.features.store import FeatureSource, FeatureStore
from aver.models.base.checkpoint import CARD_NAME
from aver.models.base.presets import load_preset
from aver.models.base.recognizer import Recognizer
from aver.networks.face_network import face_network
from aver.networks.pretrained import find_weights
from aver.pretraining.audio_data import Notice, usable_clips
from aver.pretraining.images import digest_images, read_images, sort_images, split_images
from aver.pretraining.reconcile import check_named, reconcile
from aver.settings import settings_to_mapping
from aver.splits.split import Split


def join_by_class(
    faces: Sequence[Clip], voices: Sequence[Clip], images_per_voice: int, seed: int
) -> list[Clip]:
    """Give each voice faces of its own class, drawn without repetition while there are enough.

    Parameters
    ----------
    faces, voices : sequence of Clip
        With the same set of emotions.
    images_per_voice : int >= 1
    seed : int

    Returns
    -------
    list of Clip
        ``images_per_voice`` for each voice; ids, speaker and sound are the voice's.
    """
    rng = np.random.default_rng([seed, len(faces), len(voices)])
    by_class: dict[str, list[Clip]] = defaultdict(list)
    for clip in faces:
        by_class[str(clip.emotion)].append(clip)
    heaps: dict[str, list[Clip]] = defaultdict(list)
    joined = []
    for voice in voices:
        emotion = str(voice.emotion)
        if not by_class[emotion]:
            raise LabelError(f"No face shows {emotion!r}, so voices that do find no partner.")
        for number in range(images_per_voice):
            if not heaps[emotion]:
                known = by_class[emotion]
                heaps[emotion] = [known[i] for i in rng.permutation(len(known))]
            face = heaps[emotion].pop()
            joined.append(
                replace(
                    voice,
                    clip_id=f"{voice.clip_id}+{face.clip_id}",
                    video=face.video,
                    performance=voice.performance if number == 0 else "",
                    action_units=None,
                )
            )
    return joined


class UnpairedFeatures:
    """Answers for faces that are single pictures, and asks a store for everything else.

    Parameters
    ----------
    store : FeatureSource
    embeddings : mapping of Path to np.ndarray [shape=(size,)]
        By the picture's path.
    """

    def __init__(self, store: FeatureSource, embeddings: Mapping[Path, np.ndarray]) -> None:
        self._store, self._embeddings = store, embeddings

    def get(self, clip: Clip, feature: Feature) -> FeatureRecord:
        """The feature of one clip; of a picture, its embedding as the only frame."""
        if feature.modality == "video" and clip.video and clip.video in self._embeddings:
            return FeatureRecord({"embeddings": self._embeddings[clip.video][None]})
        return self._store.get(clip, feature)


DONE_NAME = "done.json"
_PARTS = ("train", "validation")


@dataclass(frozen=True)
class UnpairedRequest:
    """What to learn from.

    Parameters
    ----------
    faces : Corpus
        Of pictures, with official parts.
    voices : Corpus
        Clips with sound and speakers.
    voice_split : Split
        Its first fold counts; its test speakers are never touched.
    preset : str
        Of an MRPN whose video branch reads ``face-embeddings`` and answers by their mean.
    overrides : mapping
        Settings that replace the preset's.
    merge, drop
        As `aver.pretraining.reconcile.reconcile` takes them.
    images_per_voice : int >= 1
        Each voice is joined with so many different faces of its class.
    adapt : {"", "speaker"}
        Bring voices to each speaker's own scale, and faces to that of all pictures.

    Raises
    ------
    SettingsError
        If one is out of range.
    """

    faces: Corpus
    voices: Corpus
    voice_split: Split
    preset: str = "mrpn-unpaired"
    overrides: Mapping[str, Any] | None = None
    merge: Mapping[str, str] | None = None
    drop: Sequence[str] = ()
    images_per_voice: int = 4
    adapt: str = ""

    def __post_init__(self) -> None:
        if self.images_per_voice < 1:
            raise SettingsError(
                f"pictures_per_voice must be at least 1, not {self.images_per_voice}."
            )
        if self.adapt not in ("", "speaker"):
            raise SettingsError(
                f"There is no adaptation {self.adapt!r}. Use 'speaker', or none at all."
            )


def train_unpaired(
    request: UnpairedRequest,
    out: Path,
    *,
    store: FeatureStore | None = None,
    seed: int = 0,
    workers: int = 1,
    notice: Notice | None = None,
) -> Recognizer:
    """Train MRPN without one clip that has both a face and a voice.

    Pictures that are blank, have two labels or copies in a later part are set aside first. N2 draws
    the faces of a class anew in every epoch; N0 and N1 keep the pairs that were drawn first.

    Parameters
    ----------
    request : UnpairedRequest
    out : Path
        Gets ``checkpoint/`` and the training log. A finished run is not repeated.
    store : FeatureStore, optional
    seed, workers : int
    notice : callable, optional
        As `aver.pretraining.run.usable_clips` takes it: told of voices that cannot be
        read.

    Returns
    -------
    Recognizer
        Trained; its card tells both corpora.

    Raises
    ------
    LabelError
        If the corpora's emotions differ after merging and dropping, or one to be merged or dropped
        is not there.
    SettingsError
        If the preset is no MRPN over face embeddings.
    SplitError, MediaError
        If the faces lack a part, or are no pictures.
    CheckpointError
        If `out` holds a run with other settings, corpora or seed, finished or not.

    Notes
    -----
    Source: Chang & Skarbek 2021, section 1.4: inputs of one sample from different clips of a class.
    Differs from the paper: its faces and voices come from the same clips' corpus.
    """
    store = store or FeatureStore()
    kind, settings = load_preset(request.preset, request.overrides)
    model = kind(settings, store)
    faces = next((f for f in model.features.values() if isinstance(f, FaceEmbeddings)), None)
    if not kind.pairs_across_clips or faces is None:
        raise SettingsError(
            f"The preset {request.preset!r} is no MRPN with a branch that reads face-embeddings; "
            "unpaired training needs one, such as 'mrpn-unpaired'."
        )
    # Before sounds are read, which takes minutes, and the folder is taken.
    split_images(request.faces)
    reconcile(request.faces.clips, request.voices.clips, merge=request.merge, drop=request.drop)
    check_named((*request.faces, *request.voices), request.merge, request.drop)
    audio_tracks = [feature for feature in model.features.values() if feature is not faces]
    prepared = usable_clips(
        store, request.voices.clips, audio_tracks, workers=workers, notice=notice
    )
    request = replace(request, voices=replace(request.voices, clips=prepared.clips))
    run = Run(out, _asked(request, settings, audio_tracks, faces, store, seed), result=DONE_NAME)
    if run.start():
        return kind.load(out / "checkpoint", store)
    pairs, told = _pairs(request, out, seed, workers)
    told["unusable_clips"] = {failure.clip.clip_id: failure.reason for failure in prepared.failures}
    adapted = SpeakerAdaptation(store, prepared.clips)
    source: FeatureSource = adapted if request.adapt else store
    embeddings = _embed(pairs, faces, request.adapt)
    model.take_features_from(UnpairedFeatures(source, embeddings))
    model.fit(pairs["train"], pairs["validation"], seed=seed, run_folder=out)
    model.save(out / "checkpoint")
    card = {**model.card, **told, "protocol": "unpaired: no clip with both face and voice"}
    card["pairs"] = card.pop("clips")
    if request.adapt:
        card |= {"adapt": request.adapt, "adaptation": ADAPTED}
    write_json(out / "checkpoint" / CARD_NAME, card)
    write_json(out / DONE_NAME, {"seed": seed, "classes": list(model.classes)})
    run.finish()
    return kind.load(out / "checkpoint", store)


def _asked(
    request: UnpairedRequest,
    settings: Any,
    audio_tracks: Sequence[Feature],
    faces: FaceEmbeddings,
    store: FeatureStore,
    seed: int,
) -> dict[str, Any]:
    """Everything that decides the result; files by their content."""
    return {
        "settings": settings_to_mapping(settings),
        "seed": seed,
        "adaptation": request.adapt,
        "labels": [dict(request.merge or {}), sorted(request.drop), request.images_per_voice],
        "face network": store.file_key(find_weights(faces.weights)),
        "images": digest_images(request.faces.clips),
        "voices": digest(
            [
                [*clip_facts(clip), *(store.content_key(clip, feature) for feature in audio_tracks)]
                for clip in request.voices
            ]
        ),
        "split": request.voice_split.hash,
    }


def _pairs(
    request: UnpairedRequest, out: Path, seed: int, workers: int
) -> tuple[dict[str, list[Clip]], dict[str, Any]]:
    """Joined clips of both parts, and what the card says of where they come from."""
    fold = request.voice_split.folds[0]
    split = split_images(request.faces)
    sorted_faces = sort_images(request.faces, split, workers=workers, cache=out / "images.json")
    parts = {
        part: reconcile(
            request.faces.select(list(sorted_faces.subsets[part])),
            [clip for clip in request.voices if clip.clip_id in getattr(fold, part)],
            merge=request.merge,
            drop=request.drop,
        )
        for part in _PARTS
    }
    lonely = in_canonical_order({*parts["train"].classes} ^ {*parts["validation"].classes})
    if lonely:
        raise LabelError(
            f"Only one of training and validation has {', '.join(lonely)}. Leave it out "
            f"(--drop {lonely[0]}), or merge it with another emotion."
        )
    pairs = {
        part: join_by_class(found.faces, found.voices, request.images_per_voice, seed)
        for part, found in parts.items()
    }
    return pairs, {
        "images": {part: len({clip.video for clip in clips}) for part, clips in pairs.items()},
        "voices": {part: len({clip.audio for clip in clips}) for part, clips in pairs.items()},
        "trained_on": [request.faces.label, request.voices.label],
        "merged": dict(parts["train"].merged),
        "dropped": list(in_canonical_order({n for found in parts.values() for n in found.dropped})),
        "split_rule": request.voice_split.rule,
        "split_hash": request.voice_split.hash,
        "test_speakers_of_voices": sorted(
            {str(clip.speaker) for clip in request.voices if clip.clip_id in fold.test}
        ),
    }


def _embed(
    pairs: Mapping[str, Sequence[Clip]], feature: FaceEmbeddings, adapt: str
) -> dict[Path, np.ndarray]:
    """Embeddings of all pictures; adapted: on the scale of those to learn, as one speaker's."""
    images = {clip.video: clip for part in _PARTS for clip in pairs[part] if clip.video is not None}
    network = face_network(find_weights(feature.weights))
    rows = network.embed(read_images(list(images.values()), network.size_px))
    if adapt:
        learned = {clip.video for clip in pairs["train"]}
        rows = Scale.of([rows[[place in learned for place in images]]]).apply(rows)
    return dict(zip(images, rows.astype(np.float32), strict=True))
