"""`OnnxFaceNetwork`: a face-expression network in an ONNX file, of any input size."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from aver.errors import CheckpointError, SettingsError
from aver.media.boxes import resize_square

if TYPE_CHECKING:
    import onnxruntime

FIRST, PENULTIMATE = "first", "penultimate"
_TYPES = {"tensor(float)": np.float32, "tensor(float16)": np.float16}
_BATCH_SIZE = 32


class OnnxFaceNetwork:
    """Runs an ONNX network on images of faces; how it wants them is read from its graph.

    Parameters
    ----------
    path : Path
        An ``.onnx`` file with its weights inside. It has one input of float32 or float16 images,
        ``(images, 3, size, size)`` or ``(images, size, size, 3)``, with a fixed or open number of
        images.
    output : str
        ``"first"`` or the name of an output; ``"penultimate"`` for the input of the last dense
        layer, or the name of any tensor in the graph: both need the library `onnx`.
    size_px : int >= 0
        Side of the input images; 0 to read it from the graph.

    Raises
    ------
    CheckpointError
        If the file is missing or no ONNX network, or its input is another one.
    SettingsError
        If there is no such output, a library is missing, or `size_px` does not fit the graph.
    """

    def __init__(self, path: Path, output: str, size_px: int) -> None:
        self._path = path
        self._session, self._output = _open(path, output)
        inputs = self._session.get_inputs()
        shape = list(inputs[0].shape)
        kinds = ", ".join(f"{one.name} {tuple(one.shape)} {one.type}" for one in inputs)
        channels = [axis for axis in (1, 3) if len(shape) == 4 and shape[axis] == 3]
        if len(inputs) != 1 or not channels or inputs[0].type not in _TYPES:
            raise CheckpointError(
                f"The ONNX network {path} reads {kinds}. It must have one input of type "
                "tensor(float) or tensor(float16) and of shape (images, 3, size, size) or "
                "(images, size, size, 3)."
            )
        self._name, self._type = inputs[0].name, _TYPES[inputs[0].type]
        self._channels_first = channels[0] == 1
        self._batch = shape[0] if isinstance(shape[0], int) and shape[0] > 0 else 0
        sides = shape[2:] if self._channels_first else shape[1:3]
        fixed = {side for side in sides if isinstance(side, int) and side > 0}
        if len(fixed) > 1:
            raise CheckpointError(
                f"The ONNX network {path} reads images of {sides[0]} x {sides[1]}; they must be "
                "square."
            )
        if fixed and size_px not in (0, *fixed):
            raise SettingsError(
                f"The setting 'size_px' is {size_px}, but the ONNX network {path} reads images of "
                f"{max(fixed)} px. Leave it out."
            )
        if not fixed and not size_px:
            raise SettingsError(
                f"The ONNX network {path} reads images of any size. Set 'size_px' to the size that "
                "it was trained with."
            )
        self.size_px = int(max(fixed, default=size_px))

    def embed(self, images: np.ndarray, mean: np.ndarray, std: np.ndarray) -> np.ndarray:
        """One vector per image.

        Parameters
        ----------
        images : np.ndarray [shape=(images, height, width, 3), dtype=uint8]
            RGB.
        mean, std : np.ndarray [shape=(3,)]
            Of each color, from 0 to 1: subtracted, and divided by.

        Returns
        -------
        np.ndarray [shape=(images, size), dtype=float32]
        """
        rows = []
        step = self._batch or _BATCH_SIZE
        for start in range(0, len(images), step):
            some = [resize_square(image, self.size_px) for image in images[start : start + step]]
            count = len(some)
            some += [some[-1]] * ((self._batch or count) - count)  # a fixed batch is filled up
            inputs = (np.stack(some) / np.float32(255) - mean) / std
            if self._channels_first:
                inputs = inputs.transpose(0, 3, 1, 2)
            rows.append(self._run(np.ascontiguousarray(inputs, dtype=self._type))[:count])
        return np.concatenate(rows)

    def _run(self, inputs: np.ndarray) -> np.ndarray:
        try:
            (output,) = self._session.run([self._output], {self._name: inputs})
        except Exception as error:  # onnxruntime's errors have no base class but this
            raise CheckpointError(
                f"The ONNX network {self._path} fails on images of shape {inputs.shape}: "
                f"{_first_line(error)}."
            ) from None
        if not isinstance(output, np.ndarray) or output.ndim < 2 or len(output) != len(inputs):
            raise CheckpointError(
                f"The output {self._output!r} of the ONNX network {self._path} has shape "
                f"{np.shape(output)} for {len(inputs)} images; one row per image is needed."
            )
        return output.reshape(len(output), -1).astype(np.float32)


def onnx_face_network(path: Path, output: str, size_px: int) -> OnnxFaceNetwork:
    """The network in a file; loaded once per process, and again if the file changed."""
    status = path.stat()
    return _cached(path, output, size_px, (status.st_size, status.st_mtime_ns))


@lru_cache(maxsize=2)
def _cached(path: Path, output: str, size_px: int, _stamp: Any) -> OnnxFaceNetwork:
    return OnnxFaceNetwork(path, output, size_px)


def _open(path: Path, output: str) -> tuple[onnxruntime.InferenceSession, str]:
    """A session, and the name of the wanted output in it."""
    content = path.read_bytes()  # not the path: a second file with weights is not in the cache key
    session = _session(content, path)
    names = [one.name for one in session.get_outputs()]
    if output == FIRST or output in names:
        return session, output if output in names else names[0]
    content, name = _with_output(content, output, path, names)
    return _session(content, path), name


def _session(content: bytes, path: Path) -> onnxruntime.InferenceSession:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1  # clips are computed in several processes
    options.log_severity_level = 4
    try:
        return onnxruntime.InferenceSession(
            content, sess_options=options, providers=["CPUExecutionProvider"]
        )
    except Exception as error:  # onnxruntime's errors have no base class but this
        raise CheckpointError(
            f"{path} is no ONNX network that onnxruntime {onnxruntime.__version__} can run: "
            f"{_first_line(error)}."
        ) from None


def _with_output(content: bytes, output: str, path: Path, names: list[str]) -> tuple[bytes, str]:
    """The network with an inner tensor among its outputs, and the name of this tensor."""
    try:
        import onnx
    except ImportError:
        raise SettingsError(
            f"The ONNX network {path} has the outputs {', '.join(names)}; to read the inner tensor "
            f"{output!r}, run `pip install 'aver[foundation]'`."
        ) from None
    model = onnx.load_from_string(content)
    nodes = model.graph.node
    name = output
    if output == PENULTIMATE:
        dense = [node for node in nodes if node.op_type in ("Gemm", "MatMul")]
        if not dense:
            raise SettingsError(
                f"The ONNX network {path} has no dense layer, so 'output' cannot be penultimate."
            )
        name = dense[-1].input[0]
    elif output not in {made for node in nodes for made in node.output}:
        raise SettingsError(
            f"The ONNX network {path} has no output {output!r}. Its outputs are "
            f"{', '.join(names)}; 'penultimate' is the input of its last dense layer."
        )
    model.graph.output.append(onnx.ValueInfoProto(name=name))
    return model.SerializeToString(), name


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0].rstrip(".") or type(error).__name__
