"""Measures `rep-monitor run` as a whole process: its start, its largest memory, its share of a core in a set.

.venv/bin/python -m tests.benchmarks.bench_run [ROUNDS] [SECONDS] [BASE]

With BASE, the folder of another tree, both trees run in turns. The broker is the embedded one, and one page is open.
The start ends with the first feedback at the page; the CPU time until then counts all threads of the daemon, and
depends little on what else the computer does. The largest memory is the kernel's VmHWM.
"""

import asyncio
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import aiomqtt
import msgspec

from monitor.profile.reading import load_profile
from tests.benchmarks.bench_daemon import beside, device
from tests.benchmarks.instructions import environment
from tests.daemon.whole import PROFILE
from tests.mqtt.brokers import free_port

ROOT = Path(__file__).parents[2]
ROUNDS, SECONDS = 5, 10.0
FIGURES = ("first feedback s", "CPU until then s", "in a set, % of a core", "largest memory MB")
FETCHED = ("/", "/trainer.html", "/vendor/mqtt.min.js", "/config.json", "/history.json", "/recent.json")
TICKS_S = os.sysconf("SC_CLK_TCK")


def cpu_s(pid: int) -> float:
    """CPU seconds of a process and its threads so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_S


def largest_mb(pid: int) -> float:
    """The largest resident memory of a process so far."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    assert found is not None
    return int(found[1]) / 1024


async def fetched(port: int, path: str) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nAccept-Encoding: gzip\r\n\r\n".encode())
    await reader.readline()
    writer.close()


async def answers(port: int) -> None:
    """Returns when the page's port takes connections."""
    while True:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.002)
        else:
            writer.close()
            return


async def follow(process: "subprocess.Popen[bytes]", port: int, began_s: float, seconds: float) -> tuple[float, ...]:
    """The figures of one run, seen from its page."""
    await answers(port)
    async with aiomqtt.Client("127.0.0.1", port, transport="websockets", websocket_path="/mqtt") as page:
        await page.subscribe("rep/e2e/live/feedback", 0)
        feedback = aiter(page.messages)
        await anext(feedback)
        first_s, started_s = time.perf_counter() - began_s, cpu_s(process.pid)
        for path in FETCHED:
            await fetched(port, path)
        while msgspec.json.decode(bytes((await anext(feedback)).payload))["set"] is None:
            pass
        from_s, from_cpu_s = time.perf_counter(), cpu_s(process.pid)
        await asyncio.sleep(seconds)
        share = (cpu_s(process.pid) - from_cpu_s) / (time.perf_counter() - from_s)
    return first_s, started_s, share * 100, largest_mb(process.pid)


def measure(tree: Path, seconds: float) -> tuple[float, ...]:
    with tempfile.TemporaryDirectory() as folder:
        path, port = Path(folder) / "e2e.toml", free_port()
        path.write_text(PROFILE.format(page_port=port))
        with beside(device, load_profile(path), True) as board:
            words = ["-m", "monitor", "run", "--config", str(path), "--port", board.recv()]
            state = environment(tree) | {"STATE_DIRECTORY": str(Path(folder) / "state")}
            began_s = time.perf_counter()
            process = subprocess.Popen([sys.executable, *words], cwd=tree, env=state, stdout=subprocess.DEVNULL)
            try:
                return asyncio.run(follow(process, port, began_s, seconds))
            finally:
                process.terminate()
                process.wait()
                board.send("enough")
                board.recv()


def main() -> None:
    given = sys.argv[1:]
    rounds = int(given[0]) if given else ROUNDS
    seconds = float(given[1]) if len(given) > 1 else SECONDS
    trees = {"this tree": ROOT} | ({"base": Path(given[2])} if len(given) > 2 else {})
    found: dict[str, list[tuple[float, ...]]] = {name: [] for name in trees}
    for round_ in range(rounds + 1):
        for name, tree in trees.items():
            figures = measure(tree, seconds if round_ else 1.0)
            if round_:  # the first one only writes the bytecode
                found[name].append(figures)
    for name, runs in found.items():
        for figure, values in zip(FIGURES, zip(*runs, strict=True), strict=True):
            print(f"{name:<10} {figure:<22} median {statistics.median(values):6.2f}  least {min(values):6.2f}")


if __name__ == "__main__":
    main()
