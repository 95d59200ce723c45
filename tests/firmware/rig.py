"""Runs the firmware's ELF at full speed without a pty; each run gives the same bytes.

The trajectory is a simulated set, so positions can be compared with the truth: a count with the stamp t must be one
that the encoder had within 15 microseconds of t.
"""

import json
import subprocess
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from firmware_bridge.chunk import Chunk
from firmware_bridge.emulated_board import command as emulator
from firmware_bridge.emulated_board import wired, write_trajectory
from firmware_bridge.emulator_build import Firmware
from firmware_bridge.formats.calibration import Calibration
from firmware_bridge.formats.framing import Deframer, frame
from firmware_bridge.formats.messages import (
    FROM_DEVICE,
    Ack,
    EventNote,
    Force,
    Hello,
    Message,
    Pos,
    StartStream,
    Status,
)
from firmware_bridge.formats.splitting import SplitCounts
from firmware_bridge.samples import Flag
from firmware_bridge.simulator import Machine, clean_set, live

TOLERANCE_S = 15e-6
CALIBRATION = Calibration(metres_per_count=5e-5, newtons_per_count=2e-3, force_zero_counts=41_337)
BOTH = 3
M = TypeVar("M", bound=Message)
Script = dict[float, str]  # simulated second -> action


def command(message: Message, seq: int = 0) -> str:
    """A message from the host, as a line of fwsim's script."""
    return "send 00" + frame(message.to_bytes(seq)).hex()


def start(period_us: int = 2000, batch: int = 5, stream_id: int = 1, streams: int = BOTH) -> str:
    return command(StartStream(streams, period_us, batch, stream_id))


@dataclass(frozen=True)
class Truth:
    """The true motion of the machine, and its file for the emulator."""

    path: Path
    t_s: NDArray[np.float64] = field(repr=False)
    position_m: NDArray[np.float64] = field(repr=False)
    force_n: NDArray[np.float64] = field(repr=False)

    @property
    def calibration(self) -> Calibration:
        """The calibration; the board boots at the beginning of the trajectory."""
        return wired(CALIBRATION, self.position_m[0])

    def counts(self, t_s: NDArray[np.float64]) -> NDArray[np.int64]:
        """The counts of the encoder since its first position."""
        wiring = self.calibration
        position = np.interp(t_s, self.t_s, self.position_m) / wiring.metres_per_count
        return np.floor(position + wiring.position_zero_counts).astype(np.int64)

    def force_counts(self, t_s: NDArray[np.float64]) -> NDArray[np.float64]:
        """The counts of the converter."""
        force: NDArray[np.float64] = np.interp(t_s, self.t_s, self.force_n)
        return force / CALIBRATION.newtons_per_count + CALIBRATION.force_zero_counts


def truth_of(
    folder: Path, t_s: NDArray[np.float64], position_m: NDArray[np.float64], force_n: NDArray[np.float64]
) -> Truth:
    path = folder / "trajectory.csv"
    write_trajectory(path, t_s, position_m, force_n)
    written = np.loadtxt(path, delimiter=",", skiprows=1)
    return Truth(path, written[:, 0], written[:, 1], written[:, 2])


def a_set(folder: Path, reps: int = 6) -> Truth:
    """Fast repetitions without a fault, up to 0.6 m/s: six take 45 s."""
    rows = [(row.position_m, row.tension_n) for row in live(Machine(), clean_set(2, 3, reps), seed=4)]
    position_m, force_n = (np.concatenate(column) for column in zip(*rows, strict=True))
    return truth_of(folder, np.arange(len(position_m)) / 1000, position_m, force_n)


@dataclass(frozen=True)
class Run:
    """The result of one run."""

    wire: bytes = field(repr=False)
    arrivals: NDArray[np.int64] = field(repr=False)  # rows of t_us, n_bytes
    report: dict[str, Any]
    truth: Truth
    clock_error: float

    @cached_property
    def frames(self) -> SplitCounts:
        reader = Deframer()
        reader.feed(self.wire)
        return reader.counts

    @cached_property
    def sequence(self) -> list[tuple[int, Message]]:
        """Every message with its seq, each of its exact length."""
        payloads = Deframer().feed(self.wire)
        return [(payload[1], FROM_DEVICE[payload[0]].from_body(payload[2:])) for payload in payloads]

    def all(self, kind: type[M]) -> list[M]:
        return [message for _, message in self.sequence if isinstance(message, kind)]

    def chunks(self) -> list[Chunk]:
        """The chunks of a reader on the host."""
        ends = np.cumsum(self.arrivals[:, 1])
        assert ends[-1] == len(self.wire)
        return [
            Chunk(int(t_us) * 1000, self.wire[end - n_bytes : end])
            for (t_us, n_bytes), end in zip(self.arrivals.tolist(), ends.tolist(), strict=True)
        ]

    @property
    def last_status(self) -> Status:
        return self.all(Status)[-1]

    @property
    def lost_frames(self) -> int:
        """The number of lost frames, from gaps in seq; a HELLO after a reset restarts it."""
        lost, expected = 0, None
        for seq, message in self.sequence:
            if expected is not None and not (isinstance(message, Hello) and seq == 0):
                lost += (seq - expected) & 0xFF
            expected = seq + 1
        return lost

    def missing(self, kind: type[Pos] | type[Force]) -> int:
        """The number of missing samples, from gaps in idx within a stream."""
        missing, expected, stream = 0, 0, None
        for message in self.all(kind):
            if message.stream_id == stream:
                missing += (message.idx - expected) & 0xFFFF
            stream = message.stream_id
            expected = message.idx + len(message.counts)
        return missing

    def clock_zero_s(self, boot: int = 0) -> float:
        """The time at which the device's clock began, on the true clock."""
        zeros = [boot["clock_zero_s"] for boot in self.report["boots"] if boot["clock_zero_s"] >= 0]
        return float(zeros[boot])

    def world_s(self, t_us: NDArray[np.int64], boot: int = 0) -> NDArray[np.float64]:
        return self.clock_zero_s(boot) + t_us.astype(np.float64) * 1e-6 / (1 + self.clock_error)

    def positions(self, stream_id: int = 1) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The stamps and counts of one stream."""
        blocks = [block for block in self.all(Pos) if block.stream_id == stream_id]
        stamps = [block.t0_us + block.period_us * np.arange(len(block.counts), dtype=np.int64) for block in blocks]
        return np.concatenate(stamps), np.concatenate([np.array(block.counts, dtype=np.int64) for block in blocks])

    def wrong_positions(self, stream_id: int = 1, boot: int = 0, begins: int = 0) -> int:
        """How many positions the encoder did not have within 15 us of their stamp. `begins`: its first count."""
        t_us, counts = self.positions(stream_id)
        t_s = self.world_s(t_us, boot)
        around = np.stack([self.truth.counts(t_s + shift) for shift in (-TOLERANCE_S, 0, TOLERANCE_S)]) - begins
        return int(np.sum((counts < around.min(axis=0)) | (counts > around.max(axis=0))))

    def forces(self) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """The stamps, counts and flags."""
        t_us, counts, flags = [], [], []
        for block in self.all(Force):
            n = len(block.counts)
            t_us += [block.t_first_us + (k * block.span_us // (n - 1) if n > 1 else 0) for k in range(n)]
            counts += list(block.counts)
            flags += [block.flags] * n
        return np.array(t_us), np.array(counts), np.array(flags)

    def flagged(self, flag: Flag) -> list[Force]:
        return [block for block in self.all(Force) if block.flags & flag]

    def events(self, code: int) -> list[EventNote]:
        return [note for note in self.all(EventNote) if note.code == code]

    def acks(self) -> list[Ack]:
        return self.all(Ack)


def run(
    firmware: Firmware,
    folder: Path,
    truth: Truth,
    script: Script,
    seconds: float,
    *options: str,
    clock_error: float = 0.0,
) -> Run:
    """Runs the ELF once."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = [f"{t_s:.6f} {action}\n" for t_s, action in sorted(script.items())]
    (folder / "script").write_text("".join(lines))
    names = ("script", "raw", "arrivals", "report")
    paths = {f"--{name}": folder / name for name in names}
    words = emulator(firmware, truth.calibration, truth.path, "--seconds", str(seconds))
    words += ["--clock-error", str(clock_error), *(str(word) for pair in paths.items() for word in pair)]
    done = subprocess.run([*words, *options], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    report = json.loads((folder / "report").read_text())
    arrivals = np.loadtxt(folder / "arrivals", dtype=np.int64, ndmin=2)
    return Run((folder / "raw").read_bytes(), arrivals, report, truth, clock_error)
