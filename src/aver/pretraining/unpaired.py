"""`train_unpaired`: trains fused recognizers on faces and voices of different corpora."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from aver.corpora.clip import Clip
from aver.corpora.combine import part_of
from aver.corpora.corpus import Corpus
from aver.corpora.reconcile import Reconciled, check_named, reconcile
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
from aver.models.expert_fusion.recognizer import ExpertFusion
from aver.networks.face_network import face_network
from aver.networks.pretrained import find_weights
from aver.pretraining.audio_data import Notice, usable_clips
from aver.pretraining.images import digest_images, read_images, sort_images, split_images
from aver.settings import settings_to_mapping
from aver.splits.corpus_rules import training_fold
from aver.splits.split import Split

DONE_NAME = "done.json"
_SUBSETS = ("train", "validation")
_FACES, _VOICES = "faces", "voices"


@dataclass(frozen=True)
class UnpairedRequest:
    """The training data and settings of `train_unpaired`.

    Parameters
    ----------
    faces : Corpus
        Of images, with an official split; `aver.pretraining.images.join_images` makes one of
        several.
    voices : Corpus
        Clips with audio and speakers.
    voice_split : Split
        Its first fold counts; its test speakers are not used in the training. `train_on_all` makes
        one without test speakers.
    preset : str
        Of a recognizer that reads ``face-embeddings`` and trains on unpaired clips: expert-fusion,
        or an MRPN, which pairs faces and voices of a class.
    overrides : mapping
        Settings to change in the preset.
    merge, drop
        As for `aver.corpora.reconcile.reconcile`.
    images_per_voice : int >= 1
        Number of different faces of its class that each voice is paired with.
    max_voices : int >= 0
        Train on at most so many clips of each corpus of voices, drawn at random, so that none
        outweighs the others; 0 for all.
    adapt : {"", "speaker"}
        Standardize audio features per speaker, and face embeddings over all training images.
    fusion : Corpus, optional
        For expert-fusion: clips with faces and voices, on which the fusion is chosen. Nothing else
        is learned from them.

    Raises
    ------
    SettingsError
        If a value is out of range.
    """

    faces: Corpus
    voices: Corpus
    voice_split: Split
    preset: str = "mrpn-unpaired"
    overrides: Mapping[str, Any] | None = None
    merge: Mapping[str, str] | None = None
    drop: Sequence[str] = ()
    images_per_voice: int = 4
    max_voices: int = 0
    adapt: str = ""
    fusion: Corpus | None = None

    def __post_init__(self) -> None:
        if self.images_per_voice < 1:
            raise SettingsError(
                f"images_per_voice must be at least 1, not {self.images_per_voice}."
            )
        if self.adapt not in ("", "speaker"):
            raise SettingsError(
                f"There is no adaptation {self.adapt!r}. Use 'speaker', or leave it empty."
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
    """Train a recognizer without a single clip that has both a face and a voice.

    Images that are blank, have two labels or have copies in a later subset are set aside first. The
    experts of an expert-fusion are trained apart. An MRPN needs pairs of one class: N2 draws the
    faces anew in every epoch, N0 and N1 keep the first ones.

    Parameters
    ----------
    request : UnpairedRequest
    out : Path
        Receives ``checkpoint/`` and the training log. A finished run is not repeated.
    store : FeatureStore, optional
    seed, workers : int
    notice : callable, optional
        Called with the unusable voices, see `aver.pretraining.audio_data.usable_clips`.

    Returns
    -------
    Recognizer
        Trained; its card names both corpora.

    Raises
    ------
    LabelError
        If the emotions of the corpora differ after merging and dropping, or no clip has an emotion
        to merge or drop.
    SettingsError
        If the preset cannot be trained so, or `out` holds a run with other settings, corpora or
        seed, finished or not.
    SplitError, MediaError
        If the faces lack a subset, or are no images.

    Notes
    -----
    Source: Chang & Skarbek 2021, section 1.4: the inputs of a sample come from different clips of a
    class.
    Differs from the paper: there, faces and voices come from the clips of one corpus.
    """
    store = store or FeatureStore()
    kind, settings = load_preset(request.preset, request.overrides)
    model = kind(settings, store)
    faces = next((f for f in model.features.values() if isinstance(f, FaceEmbeddings)), None)
    if not (kind.pairs_across_clips or kind.trains_unpaired) or faces is None:
        raise SettingsError(
            f"The preset {request.preset!r} cannot be trained on unpaired faces and voices. Use "
            "'expert-fusion', or an MRPN with a branch for face-embeddings, such as "
            "'mrpn-unpaired'."
        )
    if request.fusion is not None and not isinstance(model, ExpertFusion):
        raise SettingsError(
            f"The preset {request.preset!r} learns its fusion in the training; clips to choose it "
            "on are for 'expert-fusion' only."
        )
    # Check before audio is read, which takes minutes, and before anything is written.
    split_images(request.faces)
    check_named((*request.faces, *request.voices), request.merge, request.drop)
    _reconciled(request, request.faces.clips, request.voices.clips)
    audio_features = [feature for feature in model.features.values() if feature is not faces]
    prepared = usable_clips(
        store, request.voices.clips, audio_features, workers=workers, notice=notice
    )
    usable = _at_most(prepared.clips, request.max_voices, seed)
    request = replace(request, voices=replace(request.voices, clips=usable))
    identity = _identity(request, settings, audio_features, faces, store, seed)
    run = Run(out, identity, result=DONE_NAME)
    if run.start():
        return kind.load(out / "checkpoint", store)
    clips, facts = _training_clips(request, kind, out, seed, workers)
    facts["unusable_clips"] = {f.clip.clip_id: f.reason for f in prepared.failures}
    paired = request.fusion.clips if request.fusion else ()
    if paired:
        paired = store.prepare(paired, list(model.features.values()), workers=workers).clips
    source: FeatureSource = store
    if request.adapt:
        source = SpeakerAdaptation(store, (*prepared.clips, *paired), missing_ok=True)
    embeddings = _embed(clips, faces, request.adapt)
    model = model.with_features_from(UnpairedFeatures(source, embeddings))
    model.fit(clips["train"], clips["validation"], seed=seed, run_folder=out)
    if paired and isinstance(model, ExpertFusion):
        facts["fusion"] = model.choose_fusion(paired) | _fusion_facts(request.fusion)
    model.save(out / "checkpoint")
    card = {**model.card, **facts, "protocol": "unpaired: no clip with both face and voice"}
    if kind.pairs_across_clips:
        card["pairs"] = card.pop("clips")
    if request.adapt:
        card |= {"adapt": request.adapt, "adaptation": ADAPTED}
    write_json(out / "checkpoint" / CARD_NAME, card)
    write_json(out / DONE_NAME, {"seed": seed, "classes": list(model.classes)})
    run.finish()
    return kind.load(out / "checkpoint", store)


def _identity(
    request: UnpairedRequest,
    settings: Any,
    audio_features: Sequence[Feature],
    faces: FaceEmbeddings,
    store: FeatureStore,
    seed: int,
) -> dict[str, Any]:
    """Everything that determines the result; files by their content."""
    return {
        "settings": settings_to_mapping(settings),
        "seed": seed,
        "adaptation": request.adapt,
        "labels": [dict(request.merge or {}), sorted(request.drop), request.images_per_voice],
        **({"max_voices": request.max_voices} if request.max_voices else {}),
        "face network": store.file_key(find_weights(faces.weights)),
        "images": digest_images(request.faces.clips),
        "voices": digest(
            [
                [
                    *clip_facts(clip),
                    *(store.content_key(clip, feature) for feature in audio_features),
                ]
                for clip in request.voices
            ]
        ),
        "split": request.voice_split.hash,
        **({"fusion": digest([clip_facts(c) for c in request.fusion])} if request.fusion else {}),
    }


def _at_most(clips: Sequence[Clip], count: int, seed: int) -> tuple[Clip, ...]:
    """At most so many clips of each corpus, in their order; 0 for all."""
    by_part: dict[str, list[int]] = defaultdict(list)
    for row, clip in enumerate(clips):
        by_part[part_of(clip.clip_id)].append(row)
    rng = np.random.default_rng(seed)
    kept = {row for rows in by_part.values() for row in rng.permutation(rows)[: count or len(rows)]}
    return tuple(clip for row, clip in enumerate(clips) if row in kept)


def _fusion_facts(corpus: Corpus | None) -> dict[str, Any]:
    assert corpus is not None
    return {"chosen_on": corpus.label, "speakers": list(corpus.speakers)}


def train_on_all(voices: Corpus, share: float = 0.2, seed: int = 0) -> Split:
    """A split without test speakers: of each corpus some validate, all others train.

    Parameters
    ----------
    voices : Corpus
        A single one, or several that `combine` has joined.
    share : float in (0, 1)
        Of the speakers of each corpus; see `aver.splits.corpus_rules.CrossCorpus`.
    seed : int

    Raises
    ------
    SplitError
        If a clip has no speaker, or no corpus has two speakers.
    """
    fold = training_fold(voices, tuple(voices.parts), (), share, seed)
    return Split(f"train-on-all(validation_share={share})", voices.name, seed, (fold,))


def _training_clips(
    request: UnpairedRequest, kind: type[Recognizer], out: Path, seed: int, workers: int
) -> tuple[dict[str, list[Clip]], dict[str, Any]]:
    """Clips to train and to validate with, paired if need be, and the facts for the card."""
    fold = request.voice_split.folds[0]
    split = split_images(request.faces)
    images = sort_images(request.faces, split, workers=workers, cache=out / "images.json")
    subsets = {
        subset: _reconciled(
            request,
            request.faces.select(list(images.subsets[subset])),
            [clip for clip in request.voices if clip.clip_id in fold.subsets()[subset]],
        )
        for subset in _SUBSETS
    }
    unshared = in_canonical_order({*subsets["train"].classes} ^ {*subsets["validation"].classes})
    if unshared:
        raise LabelError(
            f"Only one of training and validation has {', '.join(unshared)}. Leave it out "
            f"(--drop {unshared[0]}), or merge it with another emotion."
        )
    chosen = {
        subset: join_by_class(
            found.clips[_FACES], found.clips[_VOICES], request.images_per_voice, seed
        )
        if kind.pairs_across_clips
        else _side_by_side(found.clips[_FACES], found.clips[_VOICES])
        for subset, found in subsets.items()
    }
    return chosen, {
        "images": {s: len({c.video for c in clips} - {None}) for s, clips in chosen.items()},
        "voices": {s: len({c.audio for c in clips} - {None}) for s, clips in chosen.items()},
        "trained_on": [
            *(request.faces.parts or (request.faces.label,)),
            *(request.voices.parts or (request.voices.label,)),
        ],
        "merged": dict(subsets["train"].merged),
        "dropped": list(
            in_canonical_order({n for found in subsets.values() for n in found.dropped})
        ),
        "split_rule": request.voice_split.rule,
        "split_hash": request.voice_split.hash,
        "test_speakers_of_voices": sorted(
            {str(clip.speaker) for clip in request.voices if clip.clip_id in fold.test}
        ),
    }


def _reconciled(
    request: UnpairedRequest, faces: Sequence[Clip], voices: Sequence[Clip]
) -> Reconciled:
    clips = {_FACES: faces, _VOICES: voices}
    return reconcile(clips, merge=request.merge, drop=request.drop)


def _embed(
    pairs: Mapping[str, Sequence[Clip]], feature: FaceEmbeddings, adapt: str
) -> dict[Path, np.ndarray]:
    """Embeddings of all images; with adaptation, the training images count as one speaker."""
    images = {
        clip.video: clip for subset in _SUBSETS for clip in pairs[subset] if clip.video is not None
    }
    network = face_network(find_weights(feature.weights))
    rows = network.embed(read_images(list(images.values()), network.size_px))
    if adapt:
        trained = {clip.video for clip in pairs["train"]}
        rows = Scale.of([rows[[path in trained for path in images]]]).apply(rows)
    return dict(zip(images, rows.astype(np.float32), strict=True))


def _side_by_side(faces: Sequence[Clip], voices: Sequence[Clip]) -> list[Clip]:
    """Images, and voices without any video they may come with."""
    seen = [replace(clip, clip_id=f"{_FACES}/{clip.clip_id}") for clip in faces]
    heard = [
        replace(
            clip, clip_id=f"{_VOICES}/{clip.clip_id}", video=None, audio=clip.audio or clip.video
        )
        for clip in voices
    ]
    return seen + heard


def join_by_class(
    faces: Sequence[Clip], voices: Sequence[Clip], images_per_voice: int, seed: int
) -> list[Clip]:
    """Pair each voice with faces of its class, drawn without repetition while there are enough.

    Parameters
    ----------
    faces, voices : sequence of Clip
        With the same emotions.
    images_per_voice : int >= 1
    seed : int

    Returns
    -------
    list of Clip
        ``images_per_voice`` for each voice, with its id, speaker and audio.
    """
    rng = np.random.default_rng([seed, len(faces), len(voices)])
    by_class: dict[str, list[Clip]] = defaultdict(list)
    for clip in faces:
        by_class[str(clip.emotion)].append(clip)
    remaining: dict[str, list[Clip]] = defaultdict(list)
    pairs = []
    for voice in voices:
        emotion = str(voice.emotion)
        if not by_class[emotion]:
            raise LabelError(
                f"No face has the emotion {emotion!r}, so its voices cannot be paired."
            )
        for number in range(images_per_voice):
            if not remaining[emotion]:
                all_faces = by_class[emotion]
                remaining[emotion] = [all_faces[i] for i in rng.permutation(len(all_faces))]
            face = remaining[emotion].pop()
            pairs.append(
                replace(
                    voice,
                    clip_id=f"{voice.clip_id}+{face.clip_id}",
                    video=face.video,
                    performance=voice.performance if number == 0 else "",
                    action_units=None,
                )
            )
    return pairs


class UnpairedFeatures:
    """Embeddings of single images, and all other features from a store.

    Parameters
    ----------
    store : FeatureSource
    embeddings : mapping of Path to np.ndarray [shape=(size,)]
        By the path of the image.
    """

    def __init__(self, store: FeatureSource, embeddings: Mapping[Path, np.ndarray]) -> None:
        self._store, self._embeddings = store, embeddings

    def get(self, clip: Clip, feature: Feature) -> FeatureRecord:
        """The feature of a clip; for an image its embedding, as the only frame."""
        if clip.video and clip.video in self._embeddings:
            if feature.modality == "video":
                return FeatureRecord({"embeddings": self._embeddings[clip.video][None]})
            if clip.audio is None:
                return FeatureRecord.absent("no audio")
        return self._store.get(clip, feature)
