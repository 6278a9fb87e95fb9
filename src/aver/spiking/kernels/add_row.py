"""Add a row of weights to the cells it reaches, in vector instructions written out."""

from __future__ import annotations

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

WIDTH = 16
"""Numbers per instruction; a processor with shorter registers takes several for one."""


@intrinsic
def add_row(typingctx, cells, to, weights, at, count):
    """``cells[to : to + count] += weights[at : at + count]``, both float32.

    Every input spike does this with a few dozen weights. A plain loop first asks whether the two
    arrays overlap and how long they are, and ends in single numbers, which together cost more
    than the sums; here the remainder takes at most one step of each smaller width.
    """

    def generate(context, builder, signature, arguments):
        pointers = []
        for array, index in ((0, 1), (2, 3)):
            flat = context.make_array(signature.args[array])(context, builder, arguments[array])
            pointers.append(builder.gep(flat.data, [arguments[index]]))
        integer, length = arguments[4].type, arguments[4]

        def step(position, width):
            vector = ir.VectorType(ir.FloatType(), width).as_pointer()
            target, source = (
                builder.bitcast(builder.gep(pointer, [position]), vector) for pointer in pointers
            )
            total = builder.fadd(builder.load(target, align=4), builder.load(source, align=4))
            builder.store(total, target, align=4)

        position = builder.and_(length, integer(-WIDTH))
        begin, stride = integer(0), integer(WIDTH)
        with cgutils.for_range_slice(builder, begin, position, stride, intp=integer) as (k, _):
            step(k, WIDTH)
        width = WIDTH // 2
        while width:
            left = builder.and_(length, integer(width))
            with builder.if_then(builder.icmp_unsigned("!=", left, integer(0))):
                step(position, width)
            position = builder.add(position, left)
            width //= 2
        return context.get_dummy_value()

    return types.void(cells, to, weights, at, count), generate
