"""The allocator's settings: one arena for all threads, and large blocks go back to the system when they are freed."""

import subprocess
import sys

import pytest

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


@pytest.mark.parametrize(("how", "apart"), [("compact", True), ("as it comes", False)])
def test_large_blocks_are_mapped_separately_and_threads_share_one_arena(how: str, apart: bool) -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM, how], capture_output=True, text=True, check=True)
    assert (done.stdout.strip() == "True") == apart
    arenas = done.stderr.count("Arena ")
    assert arenas == 1 if apart else arenas > 1
