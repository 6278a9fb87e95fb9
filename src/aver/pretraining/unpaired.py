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
from aver.errors import LabelError, SettingsError
from aver.execution.atomic import write_json
from aver.features.face_embeddings import FaceEmbeddings
from aver.features.speaker_adaptation import ADAPTED, SpeakerAdaptation
from aver.features.store import FeatureSource, FeatureStore
from aver.models.checkpoint import CARD_NAME
from aver.models.mrpn import MRPN
from aver.models.presets import load_preset
from aver.networks.face_network import face_network
from aver.networks.pretrained import find_weights
from aver.pretraining.picture_faults import keep_sorted
from aver.pretraining.read_pictures import read_pictures
from aver.pretraining.reconcile import reconcile
from aver.pretraining.unpaired_features import UnpairedFeatures
from aver.splits import make_split
from aver.splits.split import Split

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
    pictures_per_voice : int >= 1
        Each voice is joined with so many different faces of its class.
    adapt : {"", "speaker"}
        Bring voices to each speaker's own scale, and faces to that of all pictures.
    """

    faces: Corpus
    voices: Corpus
    voice_split: Split
    preset: str = "mrpn-unpaired"
    overrides: Mapping[str, Any] | None = None
    merge: Mapping[str, str] | None = None
    drop: Sequence[str] = ()
    pictures_per_voice: int = 4
    adapt: str = ""


def train_unpaired(
    request: UnpairedRequest,
    out: Path,
    *,
    store: FeatureStore | None = None,
    seed: int = 0,
    workers: int = 1,
) -> MRPN:
    """Train MRPN without one clip that has both a face and a voice.

    Pictures that are blank, have two labels or copies in a later part are set aside first. N2 draws
    the faces of a class anew in every epoch; N0 and N1 keep the pairs that were drawn first.

    Parameters
    ----------
    request : UnpairedRequest
    out : Path
        Gets ``checkpoint/`` and the training log.
    store : FeatureStore, optional
    seed, workers : int

    Returns
    -------
    MRPN
        Trained; its card tells both corpora.

    Raises
    ------
    LabelError
        If the corpora's emotions differ after merging and dropping.
    SettingsError
        If the preset is no MRPN over face embeddings.

    Notes
    -----
    Source: Chang & Skarbek 2021, section 1.4: inputs of one sample from different clips of a class.
    Differs from the paper: its faces and voices come from the same clips' corpus.
    """
    store = store or FeatureStore()
    kind, settings = load_preset(request.preset, request.overrides)
    model = kind(settings, store)
    faces = next((f for f in model.features.values() if isinstance(f, FaceEmbeddings)), None)
    if not isinstance(model, MRPN) or faces is None:
        raise SettingsError(
            f"The preset {request.preset!r} is no MRPN with a branch that reads face-embeddings; "
            "unpaired training needs one, such as 'mrpn-unpaired'."
        )
    pairs, told = _pairs(request, out, seed, workers)
    sounds = [feature for feature in model.features.values() if feature is not faces]
    voices = tuple({c.clip_id: c for c in request.voices}.values())
    store.prepare(voices, sounds, workers=workers)
    source: FeatureSource = SpeakerAdaptation(store, voices) if request.adapt else store
    embeddings = _embed([clip for part in pairs.values() for clip in part], faces, request.adapt)
    model.take_features_from(UnpairedFeatures(source, embeddings))
    model.fit(pairs["train"], pairs["validation"], seed=seed, run_folder=out)
    model.save(out / "checkpoint")
    card = {**model.card, **told, "protocol": "unpaired: no clip with both face and voice"}
    if request.adapt:
        card |= {"adapt": request.adapt, "adaptation": ADAPTED}
    write_json(out / "checkpoint" / CARD_NAME, card)
    return MRPN.load(out / "checkpoint", store)


def _pairs(
    request: UnpairedRequest, out: Path, seed: int, workers: int
) -> tuple[dict[str, list[Clip]], dict[str, Any]]:
    """Joined clips of both parts, and what the card says of where they come from."""
    fold = request.voice_split.folds[0]
    split = make_split(request.faces, "official")
    sorted_faces = keep_sorted(request.faces, split, out / "pictures.json", workers=workers)
    pairs, reconciled = {}, None
    for part in _PARTS:
        reconciled = reconcile(
            request.faces.select(list(sorted_faces.parts[part])),
            request.voices.select(list(getattr(fold, part))),
            merge=request.merge,
            drop=request.drop,
        )
        pairs[part] = join_by_class(
            reconciled.faces, reconciled.voices, request.pictures_per_voice, seed
        )
    assert reconciled is not None
    return pairs, {
        "trained_on": [request.faces.label, request.voices.label],
        "merged": dict(reconciled.merged),
        "dropped": list(reconciled.dropped),
        "split_rule": request.voice_split.rule,
        "split_hash": request.voice_split.hash,
        "test_speakers_of_voices": sorted(
            {str(clip.speaker) for clip in request.voices.select(list(fold.test))}
        ),
    }


def join_by_class(
    faces: Sequence[Clip], voices: Sequence[Clip], pictures_per_voice: int, seed: int
) -> list[Clip]:
    """Give each voice faces of its own class, drawn without repetition while there are enough.

    Parameters
    ----------
    faces, voices : sequence of Clip
        With the same set of emotions.
    pictures_per_voice : int >= 1
    seed : int

    Returns
    -------
    list of Clip
        ``pictures_per_voice`` for each voice; ids, speaker and sound are the voice's.
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
        for number in range(pictures_per_voice):
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
                    units=None,
                )
            )
    return joined


def _embed(clips: Sequence[Clip], feature: FaceEmbeddings, adapt: str) -> dict[Path, np.ndarray]:
    """Embeddings of all pictures; adapted: on the scale of all of them, as one speaker's."""
    pictures = {clip.video: clip for clip in clips if clip.video is not None}
    network = face_network(find_weights(feature.weights))
    rows = network.embed(read_pictures(list(pictures.values()), network.size_px))
    if adapt:
        rows = (rows - rows.mean(axis=0)) / np.maximum(rows.std(axis=0), 1e-6)
    return dict(zip(pictures, rows.astype(np.float32), strict=True))
