"""A hint to the processor to fetch memory that will be needed soon."""

from __future__ import annotations

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic


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
