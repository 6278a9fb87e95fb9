"""Train a Diehl-and-Cook network on digits with the spiking engine alone.

Poisson input, one layer of competing neurons, the triplet STDP rule. The network learns without
labels; labels are used afterwards to assign a class to each neuron. Prints the accuracy on test
digits; docs/explanation/spiking-engine.md has the equations.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits

from aver.spiking import Homeostasis, Network, Population, load_network, save_network, weight_maps


def main(folder: Path, train: int = 1200, neurons: int = 300) -> None:
    digits = load_digits()
    rates_hz = digits.images.repeat(2, axis=1).repeat(2, axis=2) / 16 * 127.5  # (clips, 16, 16)
    labels = digits.target

    network = Network(seed=1)
    network.add_source("pixels", shape=(16, 16))
    homeostasis = Homeostasis(step_mv=0.1)  # twice the paper's step, for fewer images
    network.add_population("layer", Population(features=neurons, homeostasis=homeostasis))
    network.connect("pixels", "layer", normal_sum=60.0)

    for _ in range(2):
        network.run({"pixels": rates_hz[:train]}, learn=True)
    counts = network.run({"pixels": rates_hz}, learn=False).counts["layer"]  # (clips, neurons)

    means = [counts[:train][labels[:train] == digit].mean(axis=0) for digit in range(10)]
    assigned = np.argmax(means, axis=0)  # the digit with the highest mean count, per neuron
    votes = [counts[train:][:, assigned == digit].mean(axis=1) for digit in range(10)]
    right = np.nan_to_num(votes).argmax(axis=0) == labels[train:]
    print(f"{right.mean():.0%} of {len(right)} test digits")

    folder.mkdir(parents=True, exist_ok=True)
    save_network(network, folder / "digits.safetensors")
    again = load_network(folder / "digits.safetensors")
    weight_maps(again, "pixels->layer", columns=20).savefig(folder / "weights.png")
    print(f"weights of all neurons: {folder / 'weights.png'}")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "examples-run"))
