"""Tests with a short form for `make test` and a long one for `make soak`, and the figures that the long one prints.

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
beside_the_day = pytest.mark.usefixtures("the_day")  # a busy core disturbs nothing of what it measures
Figure = Callable[[str, str], None]  # what was done, what was measured
T = TypeVar("T")


def long(soaking: T, testing: T) -> T:
    """The first under `make soak`."""
    return soaking if SOAKING else testing
