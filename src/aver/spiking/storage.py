"""Save a network and load it in exactly the same state: safetensors, no pickle."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from aver.compatibility import upgrade
from aver.errors import AverError, CheckpointError
from aver.settings import settings_from_mapping
from aver.spiking.network import Network
from aver.spiking.parameters import Simulation
from aver.spiking.rules import RULES
from aver.spiking.topology import Connection, Population, Windows

FORMAT = "aver-spiking-1"


def save_network(network: Network, path: str | Path) -> None:
    """Write a network to a safetensors file: description, weights, thresholds and state.

    Parameters
    ----------
    network : Network
    path : path of the file
    """
    from safetensors.numpy import save_file

    engine = network.engine
    arrays = {f"state.{name}": array for name, array in engine.state._asdict().items()}
    for name, connection in network.connections.items():
        arrays[f"weights.{name}"] = network.weights(name)
        arrays[f"touched.{name}"] = engine.touched(name).copy()
        arrays[f"delay_ms.{name}"] = connection.delay_ms
    for name in network.populations:
        arrays[f"theta_mv.{name}"] = network.theta_mv(name)
    description = {
        "format": FORMAT,
        "seed": network.seed,
        "streams": network.streams,
        "clips_learned": network.clips_learned,
        "clock": engine.clock,
        "simulation": asdict(network.simulation),
        "sources": {n: [list(s.shape), s.lag_ms] for n, s in network.sources.items()},
        "populations": {n: asdict(p) for n, p in network.populations.items()},
        "connections": [_described(c) for c in network.connections.values()],
    }
    save_file(arrays, path, metadata={"network": json.dumps(description)})


def load_network(path: str | Path) -> Network:
    """Read a network that :func:`save_network` wrote; it continues exactly where it was.

    Raises
    ------
    CheckpointError
        If the file is missing, damaged, or not a saved network of this version.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as file:
            metadata = file.metadata() or {}
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (OSError, SafetensorError) as error:
        raise CheckpointError(f"The network {path} cannot be read: {error}.") from error
    description = json.loads(metadata.get("network", "{}"))
    if description.get("format") != FORMAT:
        raise CheckpointError(
            f"{path} has the format '{description.get('format', 'unknown')}'; this version reads "
            f"spiking networks of the format '{FORMAT}'."
        )
    try:
        return _rebuilt(description, arrays)
    except (AverError, KeyError, TypeError, ValueError) as error:
        reason = str(error).rstrip(".")
        raise CheckpointError(f"The network {path} is incomplete or damaged: {reason}.") from error


def _rebuilt(description: dict[str, Any], arrays: dict[str, np.ndarray]) -> Network:
    simulation = settings_from_mapping(Simulation, upgrade(description["simulation"]))
    network = Network(simulation, description["seed"], description.get("streams"))
    for name, (shape, lag_ms) in description["sources"].items():
        network.add_source(name, tuple(shape), lag_ms)
    for name, population in description["populations"].items():
        network.add_population(name, settings_from_mapping(Population, population))
    for described in description["connections"]:
        name = f"{described['source']}->{described['target']}"
        windows, rule = described["windows"], described["rule"]
        network.connect(
            described["source"],
            described["target"],
            rule=None if rule is None else RULES[rule[0]](**rule[1]),
            windows=None if windows is None else Windows(*map(tuple, windows)),
            normal_sum=described["normal_sum"],
            sharing=described["sharing"],
            delay_ms=arrays[f"delay_ms.{name}"],
        )
    engine = network.engine
    for name in network.connections:
        network.set_weights(name, arrays[f"weights.{name}"])
        engine.touched(name)[:] = arrays[f"touched.{name}"]
    for name in network.populations:
        network.set_theta_mv(name, arrays[f"theta_mv.{name}"])
    for name, array in engine.state._asdict().items():
        array[:] = arrays[f"state.{name}"]
    engine.clock = description["clock"]
    engine.clips_learned = description["clips_learned"]
    return network


def _described(connection: Connection) -> dict[str, Any]:
    windows, rule = connection.windows, connection.rule
    return {
        "source": connection.source,
        "target": connection.target,
        "rule": None if rule is None else [type(rule).__name__, asdict(rule)],  # type: ignore[call-overload]
        "windows": None if windows is None else [windows.size, windows.stride],
        "normal_sum": connection.normal_sum,
        "sharing": connection.sharing,
    }
