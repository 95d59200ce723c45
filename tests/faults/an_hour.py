"""Writes the bytes of an hour at a machine to a file: two people train, with a pause between them.

python -m tests.faults.an_hour FILE SEED        a FILE named `closed`: nobody trains
"""

import struct
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np

import firmware_bridge.simulator as simulator
from firmware_bridge.chunk import Chunk
from firmware_bridge.simulator.script import Rest, Script
from firmware_bridge.simulator.trace import Trace
from monitor.demo.simulated import kit_of, machine_of
from tests.daemon.stage import PROFILE

HOUR_S = 3600.0
CLOSED = "closed"
SETS = 5
BETWEEN_S = 60.0  # two sets
REST_S = 50.0
READ_S = 0.05
_HEAD = struct.Struct("<qI")


def write_hour(path: Path, seed: int) -> None:
    machine = machine_of(PROFILE)
    dice = np.random.default_rng(seed)
    still = Script(positive_s=2.0, negative_s=4.0, moves=(Rest(REST_S),))
    rest = simulator.simulate(machine, still, seed=seed)
    parts: list[Trace] = []
    for half in (1, 2):
        for k in range(0 if path.name == CLOSED else SETS):
            script = simulator.faulty_set(dice, machine, 2.0, 4.0, 6, tail_s=BETWEEN_S)
            parts.append(simulator.simulate(machine, script, seed=100 * seed + 10 * half + k))
        while sum(map(len, parts)) < half * HOUR_S / 2 * 1000:
            parts.append(rest)
    hour = Trace.joined(parts).part(0, round(HOUR_S * 1000))
    kit = simulator.Kit(wiring=kit_of(PROFILE).wiring, clock_start_us=1_000_000)
    with path.open("wb") as file:
        for chunk in simulator.board_chunks(hour, kit, seed=seed, read_s=READ_S):
            file.write(_HEAD.pack(chunk.received_ns, len(chunk.data)) + chunk.data)


def read_hour(path: Path, read_s: float) -> Iterator[Chunk]:
    """The chunks of a reader that reads at these times, from 0 on."""
    read_ns, due_ns, data = round(read_s * 1e9), 0, b""
    with path.open("rb") as file:
        began_ns = None
        while head := file.read(_HEAD.size):
            at_ns, length = _HEAD.unpack(head)
            began_ns = at_ns if began_ns is None else began_ns
            if at_ns - began_ns >= due_ns:
                if data:
                    yield Chunk(due_ns, data)
                due_ns, data = at_ns - began_ns + read_ns, b""
            data += file.read(length)
        yield Chunk(due_ns, data)


if __name__ == "__main__":
    write_hour(Path(sys.argv[1]), int(sys.argv[2]))
