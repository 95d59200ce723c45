"""Settings of the C library's allocator: a daemon keeps its memory compact, a replay keeps what it has freed.

By default glibc gives each thread an arena of its own, and after a large block was freed it takes blocks of that size
from its heap, where small blocks that live longer pin the memory between them. In a simulated day the daemon used 8 MB
more for that, and grew by 4 MB in one hour. With one arena no speed is lost, because Python runs one thread at a time.

A replay fills arrays of up to a megabyte, batch after batch. By default their memory goes back to the system each time,
and the system clears every page that it hands out again: a tenth of the time of a replay.
"""

import ctypes

_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8  # parameters of mallopt, from malloc.h
_LARGE_BYTES = 128 << 10  # glibc's default, which it raises by itself unless it is set
_MOST_BYTES = 32 << 20  # the most that glibc takes for the second one


def keep_compact() -> None:
    """Call before threads start."""
    _set({_ARENA_MAX: 1, _MMAP_THRESHOLD: _LARGE_BYTES, _TRIM_THRESHOLD: _LARGE_BYTES})


def keep_freed() -> None:
    """Free memory up to `_MOST_BYTES` waits for the next batch."""
    _set({_MMAP_THRESHOLD: _MOST_BYTES, _TRIM_THRESHOLD: _MOST_BYTES})


def _set(parameters: dict[int, int]) -> None:
    """Does nothing with another C library than glibc."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        for parameter, value in parameters.items():
            mallopt(parameter, value)
