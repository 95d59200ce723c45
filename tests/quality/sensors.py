"""Labels `sensor_fault` in a case, from the kit's faults and the samples' stamps."""

import numpy as np

from firmware_bridge.samples import Flag, Samples
from firmware_bridge.simulator import faults as sensor
from tests.quality.circumstances import Blind
from tests.quality.corpus import Case
from tests.quality.judge import LOOSE, STRICT
from tests.quality.signals import Signals
from tests.quality.thresholds import Thresholds

NOTICEABLE = 0.3  # of the load: a smaller spike is noise


def blind_stretches(case: Case, signals: Signals, samples: Samples) -> list[Blind]:
    """The blind stretches in the order of time."""
    found = [_of_fault(case, fault, signals, samples) for fault in case.kit.faults]
    gap_s = case.given_profile.detect.sensor_fault.gap_s
    for column in (samples.position_m, samples.force_n):
        t_s = samples.t_s[~np.isnan(column)]
        for i in np.flatnonzero(np.diff(t_s) > gap_s * LOOSE):
            a, b = float(t_s[i]), float(t_s[i + 1])
            found.append(Blind("gap", a, b, b - a > gap_s * STRICT))
    return sorted(found, key=lambda blind: blind.from_s)


def misread_noticeably(case: Case) -> bool:
    """Whether the profile's load is so wrong that the mismatch with the force must be found."""
    told_n, true_n = case.given_profile.machine.working_load_n, case.machine.working_load_n
    return told_n is not None and abs(told_n / true_n - 1) > case.given_profile.detect.sensor_fault.mismatch * STRICT


def _of_fault(case: Case, fault: sensor.Fault, signals: Signals, samples: Samples) -> Blind:
    name = type(fault).__name__
    at_s = float(getattr(fault, "at_s", 0.0))
    end_s = at_s + float(getattr(fault, "for_s", 0.0))
    during = (samples.t_s >= at_s) & (samples.t_s < end_s)
    match fault:
        case sensor.EncoderJump():
            return Blind(name, at_s, at_s, True, lasting=True)
        case sensor.EncoderFrozen():
            return Blind(name, at_s, end_s, False, lasting=True)
        case sensor.CellStuck():
            th = Thresholds.of(case.true_profile)
            moving = np.abs(signals.velocity_m_s[round(at_s * 1000) : round(end_s * 1000)]) > 2 * th.rest_m_s
            frozen_s = case.given_profile.detect.sensor_fault.frozen_s
            return Blind(name, at_s, end_s, bool(np.sum(moving) * 0.001 > 2 * frozen_s))
        case sensor.CellSpikes():
            true_n = np.interp(samples.t_s, signals.t_s, signals.tension_n)
            wild = np.abs(samples.force_n - true_n) > NOTICEABLE * case.machine.working_load_n
            flagged = (samples.flags & (Flag.DESYNC | Flag.SUSPECT)) != 0
            hits = samples.t_s[during & (wild | flagged)]
            required = bool((during & (wild | ((samples.flags & Flag.DESYNC) != 0))).any())
            return Blind(name, float(hits[0]) if len(hits) else at_s, end_s, required)
        case _:
            return Blind(name, at_s, end_s, True)
