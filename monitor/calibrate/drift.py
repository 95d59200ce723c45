"""Compares a session with its calibration, and warns of a drifted zero or span before it causes errors.

Both are measured while people train, who lean on handles and set pins wrongly. So the zero is the smallest offset of
any rest after at least one set, and the span is a deviation from the pin's loads on which several sets agree.
"""

from typing import NamedTuple

import numpy as np

from firmware_bridge.physics import STANDARD_GRAVITY_M_S2 as G
from firmware_bridge.samples import Samples, joined
from monitor.calibrate.history import StoredCalibration
from monitor.learning.load import LoadFit
from monitor.profile.profile import MachineSettings

LOOK_EVERY_S = 1.0  # zero and span drift much more slowly
REST_M = 0.015  # the stack is at rest within this
STILL_M = 0.002  # within a look: the stack moves less at rest
STEADY_N = 1.5  # between the halves of a second
USED_M = 0.05  # above it somebody lifts
LEAST_SHARE = 0.025  # of the lightest load: half of 0.05, at which slack is detected
LEAST_N = 3.0  # a smaller error of the zero is not reported
NOISES = 5.0  # times a third of the cell's noise: a smaller error of the zero may be noise
SPAN_SHARE = 0.015  # of the load: a smaller difference is not reported
SPAN_SETS = 2  # that must agree before a warning
NEAR_LOAD = 0.35  # of the distance to the next load of the pin: beyond it the pin may select that one


class Drift(NamedTuple):
    """Drift in a session so far; None: not enough seen."""

    zero_n: float | None
    span: float | None  # share: at +0.02 the cell reads 2 % too much
    sentence: str | None  # a warning for a person, if the drift matters


class DriftMonitor:
    """Call `update` with a session's samples, and `learned` with the load of each set. Memory is constant."""

    def __init__(self, machine: MachineSettings) -> None:
        self._rest_m = machine.rest_m if machine.rest_m is not None else machine.bottom_m or 0.0
        self._static = machine.kind == "static"
        self._most_n = machine.lift_off_n
        self._loads_n = np.array(machine.plates_kg or (), np.float64) * G
        self._second: list[Samples] = []
        self._begin_s: float | None = None
        self._quiet_n: list[float] = []  # means of the last consecutive seconds at rest
        self._used = False
        self._sets = 0
        self._zero_n: float | None = None
        self._spans: list[float] = []

    def update(self, samples: Samples) -> None:
        if self._begin_s is None:
            self._begin_s = float(samples.t_s[0])
        self._second.append(samples)
        if float(samples.t_s[-1]) - self._begin_s >= LOOK_EVERY_S:
            self._look(joined(self._second))
            self._second, self._begin_s = [], float(samples.t_s[-1])

    def learned(self, fit: LoadFit | None) -> None:
        """Call at the end of a set with the load as measured, before it is rounded to a load of the pin."""
        if fit is None or len(self._loads_n) < 2:
            return
        at = int(np.abs(self._loads_n - fit.load_n).argmin())
        gaps_n = np.abs(np.delete(self._loads_n, at) - self._loads_n[at])
        off_n = fit.load_n - float(self._loads_n[at])
        if abs(off_n) < NEAR_LOAD * float(gaps_n.min()):
            self._spans.append(off_n / float(self._loads_n[at]))

    def against(self, kept: StoredCalibration | None) -> Drift:
        """The drift so far; with a warning if a calibration is given."""
        zero_n = self._zero_n if self._sets else None
        span = None
        if len(self._spans) >= SPAN_SETS and len({value > 0 for value in self._spans}) == 1:
            span = min(self._spans, key=abs)
        return Drift(zero_n, span, None if kept is None else _sentence(kept, zero_n, span))

    def _look(self, rows: Samples) -> None:
        force = rows.force_n[~np.isnan(rows.force_n)]
        position = rows.position_m[~np.isnan(rows.position_m)] - self._rest_m
        if len(force) < 4 or (not self._static and not len(position)):
            self._quiet_n = []
            return
        half = len(force) // 2
        mean_n = float(np.mean(force))
        steady = abs(np.mean(force[:half]) - np.mean(force[half:])) < STEADY_N and abs(mean_n) < self._most_n
        at_rest = self._static or (abs(np.mean(position)) < REST_M and np.ptp(position) < STILL_M)
        self._used |= mean_n > self._most_n if self._static else bool(np.max(position) > USED_M)
        if not steady or not at_rest:
            self._quiet_n = []
            return
        self._quiet_n = [*self._quiet_n[-2:], mean_n]
        if len(self._quiet_n) == 3:
            self._sets += self._used
            self._used = False
            seen_n = sorted(self._quiet_n)[1]
            if self._zero_n is None or abs(seen_n) < abs(self._zero_n):
                self._zero_n = seen_n


def _sentence(kept: StoredCalibration, zero_n: float | None, span: float | None) -> str | None:
    state = kept.state
    lightest_n = min(state.answers.weights_kg) * G
    noise_n = 0.0
    if state.rest is not None and state.span is not None:
        noise_n = state.rest.noise_counts * abs(state.span.newtons_per_count)
    day = kept.finished_utc[:10]
    if zero_n is not None and abs(zero_n) > max(LEAST_SHARE * lightest_n, LEAST_N, NOISES * noise_n / 3):
        what = f"the load cell reads {zero_n:+.1f} N without load since its calibration of {day}"
        return f"{what}: check that the cable is slack; if the error stays, calibrate again"
    if span is not None and abs(span) > SPAN_SHARE:
        what = f"measured loads differ by {span:+.1%} from those of the pin since the calibration of {day}"
        return f"{what}: check what is on the stack; if the error stays, calibrate again"
    return None
