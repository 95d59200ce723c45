"""The allocator's settings: a daemon's large blocks go back to the system when they are freed, a replay's do not."""

import os
import resource
import subprocess
import sys
from pathlib import Path

PROGRAM = """
import ctypes, sys, threading
from monitor.allocator import keep_compact
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
    done = run(PROGRAM, how)
    return done.stdout.strip() == "True", done.stderr.count("Arena ")


BATCHES = """
import asyncio, resource, sys
from pathlib import Path
from monitor.playback.playback import analysis_of, open_playback, updates
async def replay(path):
    playback = open_playback(path, None)
    async for _ in updates(playback, analysis_of(playback, feedback=False), "max"):
        pass
if len(sys.argv) > 1:
    asyncio.run(replay(Path(sys.argv[1])))
def batch():
    return len([b"x" * size for size in range(1 << 19, 1 << 20, 1 << 16)])
batch()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(20):
    batch()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""
CLEAN = Path(__file__).parent / "recordings" / "clean.mcap"
PAGES = 20 * (8 * 3 << 18) // resource.getpagesize()  # of all batches


def test_a_replay_uses_the_memory_of_the_last_batch_again() -> None:
    assert int(run(BATCHES, str(CLEAN)).stdout) < 0.05 * PAGES
    assert int(run(BATCHES).stdout) > 0.5 * PAGES, "without a replay the system clears every page again"


def run(program: str, *words: str) -> "subprocess.CompletedProcess[str]":
    """In a process without settings of its environment: Dask leaves such settings in a process that starts workers."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith("MALLOC_")}
    return subprocess.run(
        [sys.executable, "-c", program, *words], capture_output=True, text=True, check=True, env=plain
    )
