"""How the kernels are compiled."""

from __future__ import annotations

import numba

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
