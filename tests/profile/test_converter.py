"""The delay of a slow converter is compensated, with the data that the device reports."""

import numpy as np
import pytest

from firmware_bridge.formats.codes import Adc
from firmware_bridge.simulator import Kit
from firmware_bridge.simulator.wire import hello
from monitor.profile.converter import informed
from monitor.profile.reading import profile_from_builtins
from monitor.signals.grid import STEP_S
from monitor.signals.kernels import tension_kernel

AHEAD = 8
PROFILE = profile_from_builtins(
    {"machine": {"id": "m", "kind": "stack", "bottom_m": 0.0, "top_m": 0.4}, "protocol": {"name": "4/4"}}, "the test"
)


def through(kernel: np.ndarray, moments_s: np.ndarray, window_s: float) -> np.ndarray:
    """The kernel's output for a 2 Hz oscillation that a converter averages over the window before each stamp."""
    rows = np.arange(-(len(kernel) - 1 - AHEAD), AHEAD + 1)
    stamps_s = moments_s[:, None] + rows * STEP_S
    blunted = np.sinc(2 * window_s) * np.sin(2 * np.pi * 2 * (stamps_s - window_s / 2))
    made: np.ndarray = blunted @ kernel
    return made


@pytest.mark.parametrize("cutoff_hz", [8.0, 15.0])
@pytest.mark.parametrize(("window_s", "period_s"), [(0.05, 0.0125), (0.011, 0.011), (0.002, 0.002)])
def test_a_swing_has_its_true_time_and_size(cutoff_hz: float, window_s: float, period_s: float) -> None:
    moments_s = np.arange(0, 1, STEP_S)
    kernel = tension_kernel(cutoff_hz, AHEAD, window_s, period_s)
    assert kernel.sum() == pytest.approx(1.0)
    true = np.sin(2 * np.pi * 2 * moments_s)
    assert np.abs(through(kernel, moments_s, window_s) - true).max() < 0.05
    if window_s > 0.02:
        plain = tension_kernel(cutoff_hz, AHEAD, 0.002, 0.002)
        assert np.abs(through(plain, moments_s, window_s) - true).max() > 0.25, "25 ms of delay are no small thing"


def test_the_device_reports_its_converter() -> None:
    assert informed(PROFILE, None) is PROFILE
    cell = informed(PROFILE, hello(Kit(), 1, 0)).detect.cell
    assert (cell.rate_hz, cell.settling) == (80.0, 4.0)
    cell = informed(PROFILE, hello(Kit(force_rate_hz=500.0, settling=1.0), 1, 0)).detect.cell
    assert (cell.rate_hz, cell.settling) == (500.0, 1.0)


def test_a_device_without_a_converter_changes_no_setting() -> None:
    said = hello(Kit(), 1, 0)
    assert informed(PROFILE, type(said)(**{f: getattr(said, f) for f in said.__slots__} | {"adc": Adc.NONE})) is PROFILE


def test_values_of_the_profile_are_kept() -> None:
    table = {"cell": {"rate_hz": 10.0, "settling": 2.0}}
    profile = profile_from_builtins(
        {
            "machine": {"id": "m", "kind": "stack", "bottom_m": 0.0, "top_m": 0.4},
            "protocol": {"name": "4/4"},
            "detect": table,
        },
        "the test",
    )
    cell = informed(profile, hello(Kit(), 1, 0)).detect.cell
    assert (cell.rate_hz, cell.settling) == (10.0, 2.0)
