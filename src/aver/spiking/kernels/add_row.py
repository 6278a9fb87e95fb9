"""Add a row of weights to the cells it reaches, in vector instructions written out."""

from __future__ import annotations

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

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
