"""Builds the firmware's ELFs and the emulator once for all tests and workers."""

import os
from collections.abc import Callable
from functools import cache

import pytest

from firmware_bridge.emulator_build import Converter, Firmware, build
from tests.firmware.rig import Truth, a_set

Build = Callable[..., Firmware]


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Build:
    own = tmp_path_factory.getbasetemp()
    folder = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "firmware"

    @cache
    def builder(
        mcu: str = "atmega328p", converter: Converter = "hx711", rate_sps: int = 0, baud: int = 500_000
    ) -> Firmware:
        return build(folder, mcu=mcu, converter=converter, rate_sps=rate_sps, baud=baud)

    return builder


@pytest.fixture(scope="session")
def truth(tmp_path_factory: pytest.TempPathFactory) -> Truth:
    return a_set(tmp_path_factory.mktemp("truth"))
