"""Fixed pieces of work take no more instructions than was recorded, on any computer and however busy it is."""

import json
import sys
from pathlib import Path

import pytest

from firmware_bridge.simulator import Kit, clean_set, simulate
from tests import needs
from tests.benchmarks.bench_spine import MACHINE, record
from tests.benchmarks.instructions import instructions

ROOT = Path(__file__).parents[2]
CEILINGS = Path(__file__).with_name(
    "ceilings.json"
)  # instructions by piece, with the Python that they were counted with
ALLOWED = 1.05
OTHER_PYTHON = 1.25  # another interpreter takes more or fewer


def recording_for(piece: str, folder: Path) -> Path:
    """A replay's is from disk; live is fed the reads of a port, 10 ms each, while a set begins."""
    if piece == "replay":
        return ROOT / "tests" / "recordings" / "clean.mcap"
    kit = Kit(position_rate_hz=500, force_rate_hz=80)
    return record(folder / "live.mcap", simulate(MACHINE, clean_set(2, 4, 2), 1), kit)


@needs.valgrind
@pytest.mark.timeout(900)
@pytest.mark.parametrize("piece", ["replay", "live"])
def test_a_piece_takes_no_more_instructions_than_recorded(
    piece: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """After an intended change: --bless, with the reason in the commit."""
    counted = instructions(piece, recording_for(piece, tmp_path), ROOT)
    recorded = json.loads(CEILINGS.read_text())
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    if request.config.getoption("--bless"):
        CEILINGS.write_text(json.dumps(recorded | {"python": python, piece: counted}, indent=2) + "\n")
        return
    ceiling = recorded[piece] * (ALLOWED if python == recorded["python"] else OTHER_PYTHON)
    assert counted <= ceiling, f"{piece} takes {counted / recorded[piece]:.3f} times the recorded instructions"
