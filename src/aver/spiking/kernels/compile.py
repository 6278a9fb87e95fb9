"""How kernels are compiled with Numba, and the cache of their machine code.

Numba's own cache has one index per function, and numbers the files of its signatures. Two
processes that compile different signatures at the same time give both the same number: the index
then points to the machine code of another signature, and every later process that calls the
function crashes. Here each signature has a file of its own, named by a hash, and written to a
temporary file that replaces it in one step. There is nothing to lock and nothing to mix up.
"""

from __future__ import annotations

import hashlib
import pickle
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any, ClassVar

import numba
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.caching import (
    CompileResultCacheImpl,
    FunctionCache,
    UserProvidedCacheLocator,
)
from numba.core.serialize import dumps
from numba.extending import intrinsic

from aver.errors import StorageError
from aver.execution.files import cache_root, write_atomically


def compiled(**options: Any) -> Callable[[Callable], Callable]:
    """Decorator that compiles a function with Numba and caches its machine code.

    The cache lies in ``NUMBA_CACHE_DIR`` if it is set, else in ``kernels`` below aver's cache
    (`aver.execution.files.cache_root`). If that cannot be written, each process compiles anew.

    Parameters
    ----------
    options
        Of `numba.njit`, except ``cache``.
    """

    def decorate(function: Callable) -> Callable:
        dispatcher = numba.njit(**options)(function)
        with suppress(RuntimeError):  # no folder can be written
            dispatcher._cache = KernelCache(function)
        return dispatcher

    return decorate


class _BelowAversCache(UserProvidedCacheLocator):
    """Where the machine code of a function lies unless the user sets ``NUMBA_CACHE_DIR``."""

    def __init__(self, function: Callable, source: str) -> None:
        super().__init__(function, source)
        folder = cache_root() / "kernels" / self.get_suitable_cache_subpath(source)
        self._cache_path = str(folder)

    @classmethod
    def from_function(cls, function: Callable, source: str) -> _BelowAversCache | None:
        """The place; None if it cannot be written."""
        try:
            place = cls(function, source)
            place.ensure_cache_path()
        except (OSError, StorageError):
            return None
        return place


class _KernelCode(CompileResultCacheImpl):
    """Compiled functions, and where they lie."""

    _locator_classes: ClassVar = [  # type: ignore[misc]
        UserProvidedCacheLocator,
        _BelowAversCache,
    ]


class KernelCache(FunctionCache):
    """Machine code of one function on disk; a file that cannot be read or written is ignored.

    Raises
    ------
    RuntimeError
        If there is no folder that can be written.
    """

    _impl_class = _KernelCode

    def __init__(self, function: Callable) -> None:
        super().__init__(function)
        base = Path(self._cache_path) / self._impl.filename_base
        self._cache_file = SignatureFiles(  # type: ignore[assignment]
            base, self._impl.locator.get_source_stamp()
        )

    def save_overload(self, signature: Any, result: Any) -> None:
        """Cache the machine code of a signature, if the folder can still be written."""
        with suppress(OSError, StorageError):
            self._save_overload(signature, result)


class SignatureFiles:
    """One file per signature, in place of Numba's ``IndexDataCacheFile``.

    Parameters
    ----------
    base : Path
        Folder, and beginning of the names of the files.
    source_stamp : bytes
        Changes with the source of the function. The sources of all kernels count as well, because
        machine code contains that of the functions that are called.
    """

    def __init__(self, base: Path, source_stamp: bytes) -> None:
        self._base = base
        self._stamp = _digest(numba.__version__.encode(), source_stamp, _kernel_sources())

    def path(self, key: Any) -> Path:
        """File of a signature: ``<function>.<sources>.<signature and processor>.nbc``."""
        names = (self._base.name, self._stamp.hex()[:12], _digest(str(key).encode()).hex()[:20])
        return self._base.with_name(".".join([*names, "nbc"]))

    def save(self, key: Any, data: Any) -> None:
        """Write one file, whole or not at all, and remove those of earlier sources."""
        content = dumps((key, data))
        path = self.path(key)
        with write_atomically(path) as temporary:
            temporary.write_bytes(_digest(content) + content)
        of_these_sources = f"{self._base.name}.{self._stamp.hex()[:12]}."
        for other in path.parent.glob(f"{self._base.name}.*.nbc"):
            if not other.name.startswith(of_these_sources):
                other.unlink(missing_ok=True)

    def load(self, key: Any) -> Any:
        """What `save` wrote; None if there is no such file, or it is damaged."""
        try:
            content = self.path(key).read_bytes()
        except OSError:
            return None
        if content[:32] != _digest(content[32:]):
            return None
        saved_key, data = pickle.loads(content[32:])
        return data if saved_key == key else None

    def flush(self) -> None:
        """Remove the machine code of all signatures."""
        for path in self._base.parent.glob(f"{self._base.name}.*.nbc"):
            path.unlink(missing_ok=True)


@cache
def _kernel_sources() -> bytes:
    """Hash of the sources of all kernels."""
    return _digest(*(path.read_bytes() for path in sorted(Path(__file__).parent.glob("*.py"))))


def _digest(*contents: bytes) -> bytes:
    return hashlib.sha256(b"".join(hashlib.sha256(one).digest() for one in contents)).digest()


# error_model "numpy": divisions need no check for zero, so that loops vectorize.
# _nrt False: no reference counts on arrays; they cost more than the arithmetic, and a kernel
# that runs in every step allocates nothing. forceinline: else every call copies dozens of arrays.
kernel = compiled(nogil=True, error_model="numpy", _nrt=False, forceinline=True)
"""Decorator of everything that runs within a step."""

fused_kernel = compiled(
    nogil=True, error_model="numpy", _nrt=False, forceinline=True, fastmath={"contract"}
)
"""The same if products and sums may be rounded once together (fused multiply-add)."""

inner_loop = compiled(nogil=True, error_model="numpy", _nrt=False)
"""Decorator of loops over plain arrays, kept apart so that they have all registers."""

allocating_kernel = compiled(nogil=True, error_model="numpy")
"""Decorator of what runs once per clip and may allocate."""


WIDTH = 16
"""Numbers per instruction, which rows are padded to; shorter registers take several for one."""


@intrinsic
def add_row(typingctx, cells, to, weights, at, count):
    """``cells[to : to + count] += weights[at : at + count]``, both float32; no other bounds.

    Every input spike does this with a few dozen weights. A plain loop first asks whether the two
    arrays overlap and ends in single numbers, which costs as much as the sums. ``count`` is a
    multiple of ``WIDTH``.
    """

    def generate(context, builder, signature, arguments):
        pointers = []
        for array, index in ((0, 1), (2, 3)):
            flat = context.make_array(signature.args[array])(context, builder, arguments[array])
            pointers.append(builder.gep(flat.data, [arguments[index]]))
        count = arguments[4]
        vector = ir.VectorType(ir.FloatType(), WIDTH).as_pointer()
        begin, stride = count.type(0), count.type(WIDTH)
        with cgutils.for_range_slice(builder, begin, count, stride, intp=count.type) as (k, _):
            target, source = (
                builder.bitcast(builder.gep(pointer, [k]), vector) for pointer in pointers
            )
            total = builder.fadd(builder.load(target, align=4), builder.load(source, align=4))
            builder.store(total, target, align=4)
        return context.get_dummy_value()

    return types.void(cells, to, weights, at, count), generate


@intrinsic
def prefetch(typingctx, array, index):
    """Fetch the cache line of ``array[index]``; has no effect on any value.

    The weights of a spike's targets lie anywhere in memory; asking for them a few spikes ahead
    hides most of the wait.
    """

    def generate(context, builder, signature, arguments):
        array_type, _ = signature.args
        flat = context.make_array(array_type)(context, builder, arguments[0])
        address = builder.gep(flat.data, [arguments[1]])
        pointer = builder.bitcast(address, cgutils.voidptr_t)
        number = ir.IntType(32)
        fetch = cgutils.get_or_insert_function(
            builder.module,
            ir.FunctionType(ir.VoidType(), [cgutils.voidptr_t, number, number, number]),
            "llvm.prefetch.p0",
        )
        for_reading, keep_close, data_cache = number(0), number(3), number(1)
        builder.call(fetch, [pointer, for_reading, keep_close, data_cache])
        return context.get_dummy_value()

    return types.void(array, index), generate
