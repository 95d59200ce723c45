"""Gives tests a short form for `make test` and a long form for `make soak`, which prints figures.

pytestmark = soak
KILLS = long(60, 5)
def test_...(figure): figure("60 kills", "0 lost")
"""

import os
from collections.abc import Callable
from typing import TypeVar

import pytest

SOAKING = bool(os.environ.get("REP_MONITOR_SOAK"))
soak = pytest.mark.soak
soak_only = pytest.mark.soak_only
beside_the_day = pytest.mark.usefixtures("the_day")  # a busy core does not disturb its measurements
Figure = Callable[[str, str], None]  # the procedure, the measurement
T = TypeVar("T")


def long(soaking: T, testing: T) -> T:
    """The first value under `make soak`, else the second."""
    return soaking if SOAKING else testing
