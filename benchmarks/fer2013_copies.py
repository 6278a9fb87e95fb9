"""Accuracy on FER2013's test images with and without a copy in training.

    aver pretrain video --corpus fer2013.tar --preset compact --out runs/faces
    aver pretrain video --corpus fer2013.tar --preset compact --leaking --out runs/faces-leaking
    python benchmarks/fer2013_copies.py --corpus fer2013.tar runs/faces runs/faces-leaking

One view per image. Nothing was chosen by these figures.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import torch

from aver.audit.audit_media import files_in_corpus, find_matches
from aver.audit.listing import listing_of
from aver.corpora import open_corpus
from aver.corpora.corpus import Corpus
from aver.networks.face_network import standardize_images
from aver.networks.pretrained import read_weights
from aver.networks.resnet import ResNet18
from aver.networks.shipped import CARD_NAME
from aver.pretraining.classifier import Classifier
from aver.pretraining.image_scores import Share
from aver.pretraining.images import read_images
from aver.splits import make_split


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("runs", type=Path, nargs="+", metavar="RUN")
    arguments = parser.parse_args()
    corpus = open_corpus(arguments.corpus, "fer2013")
    clips = [clip for clip in corpus if clip.subset == "test"]
    copied = _copied(corpus)
    has_copy = np.array([clip.clip_id in copied for clip in clips])
    for run in arguments.runs:
        card = json.loads((run / CARD_NAME).read_text(encoding="utf-8"))
        images = torch.from_numpy(read_images(clips, card["input"]["size_px"]))[:, None]
        predicted = np.array(card["classes"])[_predictions(run, card, images)]
        correct = predicted == np.array([clip.emotion for clip in clips])
        everything = np.ones_like(has_copy)
        for name, some in (("all", everything), ("with a copy", has_copy), ("without", ~has_copy)):
            share = Share.of(correct[some])
            print(
                f"{run.name}, test images {name} ({share.images}): {share.value:.1%} "
                f"[{share.low:.1%}, {share.high:.1%}]",
                flush=True,
            )


def _copied(corpus: Corpus) -> set[str]:
    """Test images with a copy among the training images."""
    split = make_split(corpus, "official")
    fold = split.folds[0]
    train, test = set(fold.train), set(fold.test)
    matches = find_matches(files_in_corpus(listing_of(split, corpus), corpus), 1).found
    pairs = [(m.one, m.other) for m in matches] + [(m.other, m.one) for m in matches]
    return {one for one, other in pairs if one in test and other in train}


@torch.no_grad()
def _predictions(run: Path, card: dict, images: torch.Tensor) -> np.ndarray:
    shape = card["network"]
    extractor = ResNet18(1, shape["width"], shape["blocks"], shape["stem"])
    network = Classifier(extractor, len(card["classes"])).eval()
    weights = read_weights(run / "weights.safetensors")
    network.fc.load_state_dict({k[3:]: v for k, v in weights.items() if k.startswith("fc.")})
    extractor.load_state_dict({k: v for k, v in weights.items() if not k.startswith("fc.")})
    predictions = [network(standardize_images(some)).argmax(dim=1) for some in images.split(256)]
    return torch.cat(predictions).numpy()


if __name__ == "__main__":
    main()
