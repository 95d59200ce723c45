"""Simulated power cuts: a copy of the disk image, taken while a writer works, is mounted and checked.

The image of a mounted file system contains the data on the disk, without the data in the cache. The writer is
stopped first, so that the test knows which data it had confirmed.
"""

import os
import random
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path

import pytest

from monitor.record.session_reader import read_session
from monitor.store.store import Store
from tests.faults.disks import an_image, mounted, run
from tests.record.sessions import without_header
from tests.record.waiting import wires
from tests.soak import Figure, long, soak

CUTS = long(20, 2)
ROOT = Path(__file__).parents[2]
WRITER = """
import sys, time
from pathlib import Path
from monitor.record.recorder import Recorder
from monitor.store.store import Store
from tests.faults.disks import an_image, mounted, run
from tests.record.sessions import HEADER, jerk
from tests.record.waiting import wires

directory = Path(sys.argv[1])
store = Store(directory / "events.db")
recorder = Recorder(directory / "recordings" / "2026-11-23" / "s.mcap", HEADER, period_s=0.05)
for k, record in enumerate(wires(1_000_000 // 50)):
    recorder.put(record)
    if k % 10 == 0:
        print(store.append([jerk(k)])[-1].seq, recorder.status.durable_bytes, flush=True)
        time.sleep(0.01)
"""


@pytest.fixture
def image(tmp_path: Path) -> Path:
    return an_image(tmp_path, 32, "a power cut is simulated")


@soak
def test_after_a_power_cut_all_confirmed_data_is_there(image: Path, tmp_path: Path, figure: Figure) -> None:
    dice = random.Random(9)
    for cut in range(CUTS):
        after = tmp_path / f"after-{cut}.img"
        with mounted(image, tmp_path / "disk") as disk:
            last_seq, durable_bytes = cut_off(disk / f"machine-{cut}", image, after, dice)
        with mounted(after, tmp_path / "disk-after") as disk:
            check(disk / f"machine-{cut}", last_seq, durable_bytes)
    figure(f"{CUTS} power cuts under store and recorder", "no confirmed data is lost, everything opens")


def cut_off(directory: Path, image: Path, after: Path, dice: random.Random) -> tuple[int, int]:
    """Copies the image at a random moment of the writer's work. Returns the last seq and size confirmed by then."""
    command = [sys.executable, "-c", WRITER, str(directory)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, bufsize=0) as process:
        assert process.stdout is not None
        try:
            confirmed = b""
            while confirmed.count(b"\n") < dice.randrange(20, 80) or syncs(confirmed) < 2:
                confirmed += os.read(process.stdout.fileno(), 1 << 16)
            threading.Event().wait(dice.random() / 5)  # a random moment of its work
            process.send_signal(signal.SIGSTOP)
            os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WNOWAIT)  # it may be in the middle of a sync
            os.set_blocking(process.stdout.fileno(), False)
            with suppress(BlockingIOError):
                confirmed += os.read(process.stdout.fileno(), 1 << 16)
            run("cp", "--sparse=always", image, after)
        finally:
            process.kill()
    last_seq, durable_bytes = confirmed.split(b"\n")[-2].split()
    return int(last_seq), int(durable_bytes)


def syncs(confirmed: bytes) -> int:
    """How many of the recording are known; the first one may have been of its header alone."""
    return len({line.split()[1] for line in confirmed.split(b"\n")[:-1]} - {b"0"})


def check(directory: Path, last_seq: int, durable_bytes: int) -> None:
    with Store(directory / "events.db") as store:
        assert store.set_aside is None
        assert store.last_seq >= last_seq > 0
        assert [event.seq for event in store.after(0, 1_000_000)] == list(range(1, store.last_seq + 1))
    path = directory / "recordings" / "2026-11-23" / "s.mcap"
    assert path.stat().st_size >= durable_bytes > 0
    session = read_session(path)
    found = without_header(list(session))
    assert found == wires(len(found))
    assert len(found) > 0
    assert all(damage.offset_bytes >= durable_bytes for damage in session.damage)
