"""Measures several daemons beside one mosquitto on one computer: rate and age of each machine's live feedback.

.venv/bin/python -m tests.benchmarks.bench_machines [MACHINES] [SECONDS] [NICE]

The daemons are real ones, each a process. One process simulates all their boards, in long sets; this one is the
subscriber. As root, all but the daemons run at a high priority, so that on a busy computer the daemons are measured;
NICE is theirs. The age of a feedback counts from that of the one that came fastest: the waiting beyond what is always
there. If the ages grow to seconds, the simulated boards were too slow, and the figures say nothing.
"""

import asyncio
import json
import os
import sys
import tempfile
import time
from collections import defaultdict
from contextlib import ExitStack, suppress
from multiprocessing.connection import Connection as Pipe
from pathlib import Path

import aiomqtt
import numpy as np

from monitor.profile.reading import load_profile
from tests.benchmarks.bench_daemon import beside
from tests.daemon.whole import PROFILE
from tests.faults.stage import Program, until
from tests.mqtt.brokers import free_port, mosquitto

MACHINES, SECONDS = 8, 20.0
TICKS_S = os.sysconf("SC_CLK_TCK")


def boards(pipe: Pipe, profiles: list[Path]) -> None:
    """Another process: sends the ports of simulated boards, and runs them until it is asked for its CPU time."""
    import firmware_bridge.simulator as simulator
    from firmware_bridge.simulator.board import Board
    from firmware_bridge.simulator.device import SimulatedDevice
    from monitor.demo.simulated import kit_of, machine_of

    async def run() -> None:
        with ExitStack() as stack:
            profile = load_profile(profiles[0])
            traces = list(simulator.live(machine_of(profile), simulator.clean_set(2, 4, reps=20), seed=1, rows=20))
            devices = [
                stack.enter_context(
                    SimulatedDevice(Board(kit_of(profile), number), iter(traces), baud=profile.serial.baud)
                )
                for number in range(len(profiles))
            ]
            pipe.send([device.port for device in devices])
            running = [asyncio.create_task(device.run()) for device in devices]
            await asyncio.to_thread(pipe.recv)
            pipe.send(time.process_time())
            for task in running:
                task.cancel()

    asyncio.run(run())


def cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_S


async def listen(port: int, seconds: float, seen: dict[str, list[tuple[float, float]]]) -> None:
    async def take() -> None:
        async with aiomqtt.Client("127.0.0.1", port) as client:
            await client.subscribe("rep/+/live/feedback", 0)
            async for message in client.messages:
                machine = str(message.topic).split("/")[1]
                seen[machine].append((json.loads(bytes(message.payload))["t_s"], time.monotonic()))

    taking = asyncio.create_task(take())
    await asyncio.sleep(seconds)
    taking.cancel()


async def measure(machines: int, seconds: float, nice: int, folder: Path) -> None:
    with ExitStack() as stack:
        broker = stack.enter_context(mosquitto(folder))
        profiles = []
        for number in range(machines):
            path = folder / f"m{number}.toml"
            text = PROFILE.replace('"e2e"', f'"m{number}"').format(page_port=free_port())
            path.write_text(f'{text}[mqtt]\nhost = "127.0.0.1"\nport = {broker.port}\n')
            profiles.append(path)
        simulated = stack.enter_context(beside(boards, profiles))
        ports = await asyncio.to_thread(simulated.recv)
        daemons = [
            stack.enter_context(
                Program(
                    folder / f"{path.stem}.log", "run", "--config", path, "--port", port,
                    environment={"STATE_DIRECTORY": str(folder / "state")},
                )
            )
            for path, port in zip(profiles, ports, strict=True)
        ]  # fmt: skip
        await until(lambda: all(daemon.is_up for daemon in daemons))
        for daemon in daemons:
            os.setpriority(os.PRIO_PROCESS, daemon.pid, nice)
        await asyncio.sleep(10.0)  # sessions have begun, starting is over
        before = [cpu_s(daemon.pid) for daemon in daemons]
        seen: dict[str, list[tuple[float, float]]] = defaultdict(list)
        await listen(broker.port, seconds, seen)
        shares = [(cpu_s(daemon.pid) - first) / seconds for daemon, first in zip(daemons, before, strict=True)]
        simulated.send("enough")
        boards_s = await asyncio.to_thread(simulated.recv)
    print(
        f"{machines} machines, load {os.getloadavg()[0]:.1f}; each daemon {np.mean(shares):.1%} of a core, nice {nice}"
    )
    report(seen, seconds)
    print(f"  the boards' process: {boards_s:.0f} s of a core in all")


def report(seen: dict[str, list[tuple[float, float]]], seconds: float) -> None:
    for machine, came in sorted(seen.items()):
        t_s, at_s = np.array(came).T
        late_ms = (at_s - t_s - np.min(at_s - t_s)) * 1e3
        steps_ms = np.diff(at_s) * 1e3
        print(
            f"  {machine}: {len(came) / seconds:5.1f} a second, late p50 {np.percentile(late_ms, 50):4.0f} ms,"
            f" p99 {np.percentile(late_ms, 99):4.0f} ms, longest gap {steps_ms.max():4.0f} ms"
        )


def main() -> None:
    machines = int(sys.argv[1]) if len(sys.argv) > 1 else MACHINES
    seconds = float(sys.argv[2]) if len(sys.argv) > 2 else SECONDS
    nice = int(sys.argv[3]) if len(sys.argv) > 3 else 0
    with suppress(PermissionError):
        os.nice(-10)
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(measure(machines, seconds, nice, Path(folder)))


if __name__ == "__main__":
    main()
