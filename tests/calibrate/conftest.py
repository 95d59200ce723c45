"""One machine for the tests of the calibration."""

import pytest

from tests.calibrate.bench import Rig, rig


@pytest.fixture
def one() -> Rig:
    return rig(1)
