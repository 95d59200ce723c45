"""The replay of a fixed recording takes no more instructions than was recorded, on any computer and however busy."""

import json
import sys
from pathlib import Path

import pytest

from tests import needs
from tests.benchmarks.instructions import instructions

ROOT = Path(__file__).parents[2]
RECORDING = ROOT / "tests" / "recordings" / "clean.mcap"
CEILINGS = Path(__file__).with_name(
    "ceilings.json"
)  # instructions by piece, with the Python that they were counted with
ALLOWED = 1.05
OTHER_PYTHON = 1.25  # another interpreter takes more or fewer


@needs.valgrind
@pytest.mark.timeout(900)
@pytest.mark.parametrize("piece", ["replay"])
def test_a_replay_takes_no_more_instructions_than_recorded(piece: str, request: pytest.FixtureRequest) -> None:
    """After an intended change: --bless, with the reason in the commit."""
    counted = instructions(piece, RECORDING, ROOT)
    recorded = json.loads(CEILINGS.read_text())
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    if request.config.getoption("--bless"):
        CEILINGS.write_text(json.dumps(recorded | {"python": python, piece: counted}, indent=2) + "\n")
        return
    ceiling = recorded[piece] * (ALLOWED if python == recorded["python"] else OTHER_PYTHON)
    assert counted <= ceiling, f"{piece} takes {counted / recorded[piece]:.3f} times the recorded instructions"
