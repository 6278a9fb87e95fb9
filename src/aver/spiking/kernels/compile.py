"""How the kernels are compiled."""

from __future__ import annotations

import numba
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

# error_model "numpy": divisions need no check for zero, so that loops vectorise.
# _nrt False: no reference counts on arrays; they cost more than the arithmetic, and a kernel
# that runs a step allocates nothing. forceinline: else every call copies dozens of arrays.
# The cache of a compiled kernel is renewed when its own file changes, not when a kernel that it
# calls does: after such a change `touch` clip.py, or the old machine code runs on.
kernel = numba.njit(  # type: ignore[call-overload]
    cache=True, nogil=True, error_model="numpy", _nrt=False, forceinline=True
)
"""Decorator of everything that runs within a step."""

fused_kernel = numba.njit(  # type: ignore[call-overload]
    cache=True,
    nogil=True,
    error_model="numpy",
    _nrt=False,
    forceinline=True,
    fastmath={"contract"},
)
"""The same where products and sums may be rounded once together (fused multiply-add)."""

inner_loop = numba.njit(  # type: ignore[call-overload]
    cache=True, nogil=True, error_model="numpy", _nrt=False
)
"""Decorator of loops over plain arrays, kept apart so that they have all registers."""

allocating_kernel = numba.njit(cache=True, nogil=True, error_model="numpy")
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
