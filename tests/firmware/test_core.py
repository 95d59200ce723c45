"""The portable core on this computer: its own tests under sanitizers, the shared vectors, and a comparison on noise."""

import random
import subprocess
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from firmware_bridge.emulator_build import FIRMWARE
from firmware_bridge.formats.framing import Deframer, frame
from firmware_bridge.formats.messages import (
    Ack,
    EventNote,
    Force,
    Hello,
    HelloRequest,
    Message,
    Ping,
    Pong,
    Pos,
    SetAdc,
    StartStream,
    Status,
    StatusRequest,
    StopStream,
)  # fmt: skip
from tests import needs

pytestmark = needs.compiler

VECTORS = Path(__file__).parent / "vectors" / "protocol1.txt"
KINDS: dict[str, type[Message]] = {
    "hello": Hello, "status": Status, "pong": Pong, "ack": Ack, "pos": Pos, "force": Force, "event": EventNote,
    "hello_request": HelloRequest, "start": StartStream, "stop": StopStream, "ping": Ping,
    "status_request": StatusRequest, "set_adc": SetAdc,
}  # fmt: skip


@pytest.fixture(scope="session")
def core(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with the core's test programs, built but not run."""
    folder = tmp_path_factory.mktemp("core")
    programs = [str(folder / name) for name in ("test_frame", "test_app", "test_force", "vectors")]
    done = subprocess.run(
        ["make", "-s", "-j2", "-C", str(FIRMWARE), f"BUILD={folder}", *programs],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return folder


@pytest.mark.parametrize("program", ["test_frame", "test_app", "test_force"])
def test_core_by_itself(core: Path, program: str) -> None:
    done = subprocess.run([core / program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def vectors() -> list[tuple[Message, int, bytes]]:
    found = []
    for line in VECTORS.read_text().splitlines():
        if line.startswith("#"):
            continue
        _, name, *pairs = line.split()
        given = dict(pair.split("=") for pair in pairs)
        values: list[Any] = [
            tuple(map(int, given[f.name].split(","))) if f.name == "counts" else int(given[f.name])
            for f in fields(KINDS[name])
        ]
        make: Any = KINDS[name]
        found.append((make(*values), int(given["seq"]), bytes.fromhex(given["wire"])))
    return found


def test_every_message_has_a_vector() -> None:
    assert {type(message) for message, _, _ in vectors()} == set(KINDS.values())


def test_c_sends_and_understands_the_vectors(core: Path) -> None:
    done = subprocess.run([core / "vectors", VECTORS], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"{len(vectors())} vectors, 0 wrong\n"


def test_python_sends_and_understands_the_vectors() -> None:
    for message, seq, wire in vectors():
        assert frame(message.to_bytes(seq)) == wire
        (payload,) = Deframer().feed(wire)
        assert payload[1] == seq
        assert type(message).from_body(payload[2:]) == message


def test_both_deframers_agree_on_noise(core: Path) -> None:
    """Damaged frames mixed with garbage: both find the same payloads and the same number of bad frames."""
    rng = random.Random(7)
    stream = bytearray()
    for _ in range(6000):
        wire = bytearray(frame(bytes(rng.choices(range(256), k=rng.randint(2, 60)))))
        mishap = rng.random()
        if mishap < 0.2:
            wire[rng.randrange(len(wire))] ^= 1 << rng.randrange(8)
        elif mishap < 0.3:
            del wire[rng.randrange(len(wire))]
        elif mishap < 0.4:
            wire[:0] = bytes(rng.choices(range(256), k=rng.randint(1, 200)))
        stream += wire
    stream += b"\x00"
    reader = Deframer()
    ours = [payload.hex() for payload in reader.feed(bytes(stream))]
    *theirs, bad = subprocess.run(
        [core / "vectors", "--decode"], input=bytes(stream), capture_output=True, check=True
    ).stdout.decode().split("\n")[:-1]  # fmt: skip
    assert theirs == ours
    assert len(ours) > 3000
    assert bad == f"bad {reader.counts.bad_crc + reader.counts.bad_shape}"


def test_both_framers_agree(core: Path) -> None:
    rng = random.Random(8)
    payloads = [bytes(rng.choices([0, 0, 1, 255, rng.randrange(256)], k=rng.randint(2, 60))) for _ in range(2000)]
    lines = "".join(payload.hex() + "\n" for payload in payloads)
    done = subprocess.run([core / "vectors", "--encode"], input=lines, capture_output=True, text=True, check=True)
    assert done.stdout.split() == [frame(payload).hex() for payload in payloads]
