"""Keeps the C library's allocator from scattering what a daemon of months frees.

glibc gives each thread an arena of its own, and after the first large block that is freed it takes blocks of that size
from its heap: small ones that live on then pin what lies between. In a simulated day the daemon stood 8 MB higher for
it, and rose by 4 MB in one hour. One arena costs nothing where Python lets one thread run; what is large goes back.
"""

import ctypes

_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8  # of mallopt, as malloc.h has them
_LARGE_BYTES = 128 << 10  # glibc's own beginning, which it raises by itself unless it is set


def keep_compact() -> None:
    """Before there are threads. Another C library than glibc has nothing to set."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_ARENA_MAX, 1)
        mallopt(_MMAP_THRESHOLD, _LARGE_BYTES)
        mallopt(_TRIM_THRESHOLD, _LARGE_BYTES)
