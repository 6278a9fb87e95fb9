"""Accuracy of face networks on images of FER2013 and ExpW.

    python benchmarks/face_networks.py --data DIR [--weights NAME ...]

FER+ test: the test images of FER2013 with the emotion that most raters of FER+ chose, and the part
of them for which more than half of the votes agree, the rule "majority" of FER+'s authors (Barsoum
et al. 2016, section 3; single votes, and here also votes for no emotion, do not count).
PrivateTest: the second half of
FER2013's test images with FER2013's own labels. ExpW: the photographs that `aver pretrain video`
keeps for validation. Images of emotions that a network does not know are left out for it.

Each image is read as a close crop. "One view" is the image itself; "views" are its mirror image,
too, and both moved by two pixels towards each corner. Images count as independent, so that the
intervals are optimistic. Prints a table and writes ``benchmarks/results/face_networks.json``.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch

from aver.corpora import open_corpus
from aver.corpora.clip import Clip
from aver.execution.files import write_json
from aver.networks.face_network import FaceNetwork, face_network
from aver.networks.pretrained import find_weights
from aver.pretraining.image_scores import VIEWS, Share, image_views
from aver.pretraining.images import join_images, read_images

RESULT = Path(__file__).parent / "results" / "face_networks.json"
AT_ONCE = 256  # images


def test_sets(data: Path) -> dict[str, tuple[Clip, ...]]:
    """Labeled images by the name of their test set."""
    votes = {"votes": "fer2013new.csv", "names": "fer2013tar_match.csv"}
    rated = open_corpus(
        data / "fer2013.tar",
        "fer2013",
        **{name: str(data / "ferplus" / file) for name, file in votes.items()},
    )
    test = tuple(clip for clip in rated if clip.subset == "test")
    labeled = open_corpus(data / "fer2013.tar", "fer2013")
    photographs = join_images([rated, open_corpus(data / "expw-train", "expw")])
    return {
        "FER+ test": test,
        "FER2013 PrivateTest": tuple(c for c in labeled if c.subset == "test"),
        "ExpW, held out": tuple(
            clip
            for clip in photographs
            if clip.subset == "validation" and clip.clip_id.startswith("expw")
        ),
    }


def measure(network: FaceNetwork, name: str, clips: Sequence[Clip]) -> dict[str, dict[str, Share]]:
    """Accuracy by set of images: with one view and with all views of `VIEWS`."""
    known = [clip for clip in clips if clip.emotion in network.classes]
    labels = np.array([network.classes.index(str(clip.emotion)) for clip in known])
    images = torch.from_numpy(read_images(known, network.size_px))[:, None]
    sets = {name: np.ones(len(known), dtype=bool)}
    if name == "FER+ test":
        agreed = [max(clip.votes["face"].values()) > 0.5 for clip in known]
        sets["FER+ test, majority"] = np.array(agreed)
    found: dict[str, dict[str, Share]] = {one: {} for one in sets}
    for number, views in (("one view", VIEWS[0]), ("views", VIEWS[-1])):
        rows = [
            np.mean([network.probabilities(v[:, 0].numpy()) for v in image_views(some, views)], 0)
            for some in images.split(AT_ONCE)
        ]
        correct = np.concatenate(rows).argmax(axis=1) == labels
        for one, chosen in sets.items():
            found[one][number] = Share.of(correct[chosen])
    return found


def show(results: Mapping[str, Mapping[str, Mapping[str, Share]]]) -> None:
    """Print the table in Markdown."""
    print("| network | images | one view | views |\n|---|---|---|---|")
    for name, sets in results.items():
        for images, figures in sets.items():
            cells = [
                f"{100 * one.value:.1f} [{100 * one.low:.1f}, {100 * one.high:.1f}]"
                for one in figures.values()
            ]
            print(f"| {name} | {images}, {figures['views'].images} | {' | '.join(cells)} |")


def main() -> None:
    """Read the arguments, measure and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of the corpora")
    parser.add_argument("--weights", nargs="+", default=["faces-fer2013", "faces-ferplus"])
    parser.add_argument("--out", type=Path, default=RESULT)
    arguments = parser.parse_args()
    sets = test_sets(arguments.data)
    results = {}
    for name in arguments.weights:
        network = face_network(find_weights(name))
        label = name if name in ("faces-fer2013", "faces-ferplus") else Path(name).name
        results[label] = {}
        for images, clips in sets.items():
            results[label] |= measure(network, images, clips)
    show(results)
    figures = {
        name: {
            images: {views: asdict(one) for views, one in some.items()}
            for images, some in one_network.items()
        }
        for name, one_network in results.items()
    }
    write_json(arguments.out, {"protocol": __doc__, "accuracy": figures})


if __name__ == "__main__":
    main()
