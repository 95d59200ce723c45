"""The allocator's settings: one arena for all threads, and large blocks go back to the system when they are freed."""

import os
import subprocess
import sys

PROGRAM = """
import ctypes, sys, threading
from monitor.daemon.allocator import keep_compact
if sys.argv[1] == "compact":
    keep_compact()
class Info(ctypes.Structure):
    _fields_ = [(name, ctypes.c_size_t) for name in
        "arena ordblks smblks hblks hblkhd usmblks fsmblks uordblks fordblks keepcost".split()]
libc = ctypes.CDLL(None)
libc.mallinfo2.restype = Info
bytearray(8 << 20)  # freed at once
before = libc.mallinfo2().hblkhd
large = bytearray(1 << 20)
print(libc.mallinfo2().hblkhd - before >= len(large))
threads = [threading.Thread(target=lambda: sorted(bytes(k) for k in range(1000, 3000))) for _ in range(4)]
for thread in threads: thread.start()
for thread in threads: thread.join()
libc.malloc_stats()
"""


def test_large_blocks_are_mapped_separately_and_threads_share_one_arena() -> None:
    assert apart_and_arenas("compact") == (True, 1)


def test_without_the_settings_they_do_not() -> None:
    apart, arenas = apart_and_arenas("as it comes")
    assert not apart
    assert arenas > 1


def apart_and_arenas(how: str) -> tuple[bool, int]:
    """In a process without settings of its environment: Dask leaves such settings in a process that starts workers."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith("MALLOC_")}
    done = subprocess.run([sys.executable, "-c", PROGRAM, how], capture_output=True, text=True, check=True, env=plain)
    return done.stdout.strip() == "True", done.stderr.count("Arena ")
