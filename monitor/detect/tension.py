"""Compares the tension with the load: detects unloading, slack, tension out of its band, and too much force.

    m a = T - W - friction

When the tension differs from the load, the stack accelerates, and the encoder sees it. So force alone never makes an
event. On simulated sets the acceleration is at least a third of what the tension implies in every true event, and
almost zero if the cell was disturbed, its zero has drifted, the load is another, or the stack stands on its rest.
While a force that nothing explains lasts evenly (another zero after a reset), an event must be one without it, too.
"""

from typing import Any

import numpy as np

from firmware_bridge.physics import STANDARD_GRAVITY_M_S2 as G
from monitor.detect.detector import Finding, Findings
from monitor.detect.held_condition import DOUBTED_STEPS, HeldCondition
from monitor.detect.moment import Moment, steps
from monitor.events import ForceCeiling, Slack, Stamp, TensionOut, Unload
from monitor.profile.settings import DetectSettings
from monitor.signals.conditions import Bit
from monitor.signals.median import median

FELT = 0.25  # of the acceleration that the tension's distance from the load implies
EVEN = 0.04  # of the load: an unexplained force that is smaller may be friction
EVEN_STEPS, LEAST_MOVING = steps(1.0), steps(0.3)  # before an event: how far to look for one, and how much of it moves


class TensionDetector:
    """Reports `unload`, `slack`, `tension_out` and `force_ceiling`; nothing while the cell is doubted."""

    watches = (
        Bit.KNOWN_X
        | Bit.CEILING
        | Bit.SLACK
        | Bit.UNLOAD
        | Bit.LOW
        | Bit.HIGH
        | Bit.EMPTY
        | Bit.STILL
        | Bit.JUDGED
        | Bit.CONTACT
        | Bit.LIGHT
    )

    def __init__(self, detect: DetectSettings) -> None:
        # By the cable, since the stack rested or was held: a hand that carries the stack is not a lifter.
        self._lifted = False
        out = detect.tension_out
        hold, join, ceiling = steps(out.hold_s), steps(out.join_s), steps(detect.force_ceiling.announce_s)
        self._unload = HeldCondition(steps(detect.unload.hold_s), describe=_lowest, believe=_unloaded)
        self._slack = HeldCondition(steps(detect.slack.announce_s), describe=_loose, believe=_fell)
        self._low = HeldCondition(hold, join, describe=_low, believe=_left_below)
        self._high = HeldCondition(hold, join, describe=_high, believe=_left_above)
        self._ceiling = HeldCondition(ceiling, describe=_peak, believe=_rose_or_held)

    @property
    def due(self) -> int:
        return min(self._unload.due, self._slack.due, self._low.due, self._high.due, self._ceiling.due)

    def update(self, moment: Moment) -> Findings:
        kind, free = moment.limits.kind, moment.limits.free
        self._follow(moment)
        used = moment.in_set or moment.pull.pulled or kind == "stack"  # a stack off its rest is in use, in a set or not
        let_go = moment.on(Bit.EMPTY) and (kind == "static" or (free and moment.still))  # the set may be over
        judged = (used or free) and not (moment.trust.force_doubted or moment.held or let_go or moment.staging.aimless)
        lowered = moment.limits.lowered_n is not None
        judged = judged and not (lowered and moment.still)  # nothing shows that the stack would fall
        helped = moment.in_set and lowered  # the hand that lifts is the trainer's
        findings: list[Finding] = []
        for condition, bit in (
            (self._ceiling, Bit.CEILING),
            (self._slack, Bit.SLACK),
            (self._unload, Bit.UNLOAD),
            (self._low, Bit.LOW),
            (self._high, Bit.HIGH),
        ):  # a bar's event may begin its set, so it waits until then
            carried = self._lifted or kind != "stack" or bit == Bit.CEILING or helped
            findings += condition.update(moment, judged and carried and moment.on(bit), moment.now, wait=not used)
        return findings

    def _follow(self, moment: Moment) -> None:
        """Follow whether the cable has carried the stack since it was put down."""
        if moment.on(Bit.CONTACT) or moment.held:
            self._lifted = False
        elif not moment.on(Bit.LIGHT) and moment.on(Bit.KNOWN_T):
            self._lifted = True


def _fell(moment: Moment, start: int, end: int) -> bool:
    return _felt(moment, start, end, -1.0)


def _unloaded(moment: Moment, start: int, end: int) -> bool:
    return _felt(moment, start, end, -1.0, beyond=1 - moment.limits.unload_below)


def _left_below(moment: Moment, start: int, end: int) -> bool:
    return _felt(moment, start, end, -1.0, beyond=moment.limits.band)


def _left_above(moment: Moment, start: int, end: int) -> bool:
    return _felt(moment, start, end, 1.0, beyond=moment.limits.band)


def _rose_or_held(moment: Moment, start: int, end: int) -> bool:
    """Whether the tension rose, or stayed for longer than any burst of noise without acceleration: at a stop."""
    limits = moment.limits
    beyond = 0.0 if limits.ceiling_given_n is not None else (limits.detect.force_ceiling.factor - 1)
    return end - start > DOUBTED_STEPS or _felt(moment, start, end, 1.0, beyond=beyond)


def _felt(moment: Moment, start: int, end: int, side: float, beyond: float = 0.0) -> bool:
    """Whether the stack accelerated as the tension implies, or a helper's force explains why it did not.

    `beyond`: how far w' must be from 1, on this side, without the force that lasts evenly. True if there is no stack or
    no load is known.
    """
    limits, signals = moment.limits, moment.signals
    if moment.assistance.explains(start, end):
        return True
    if not (limits.kind == "stack" or limits.free) or limits.load_n is None:
        return True
    pulled_g = side * (signals.part(signals.relative, start, end) - 1)
    felt_g = side * signals.part(signals.a, start, end) * (limits.inertia / G)
    most_pulled_g = float(np.fmax.reduce(pulled_g))
    if float(np.fmax.reduce(felt_g)) < FELT * most_pulled_g:
        return False
    even = side * _even(moment, start, end)
    return not (even > EVEN and most_pulled_g - even < beyond)


def _even(moment: Moment, start: int, end: int) -> float:
    """The force, as a share of the load, that movement does not explain, lately and during an event; 0 at rest."""
    limits, signals = moment.limits, moment.signals
    span = max(signals.oldest, start - EVEN_STEPS), end
    x, v, a, relative = (signals.part(column, *span) for column in (signals.x, signals.v, signals.a, signals.relative))
    foreign = relative - 1 - a * (limits.inertia / G) / limits.share_at(x, v)
    moving = foreign[(np.abs(v) > limits.v_rest_m_s) & ~np.isnan(foreign)]
    return median(moving) if len(moving) >= LEAST_MOVING else 0.0


def _lowest(moment: Moment, stamp: Stamp, start: int, end: int) -> Unload:
    return Unload(**stamp, low=_round(np.nanmin(moment.signals.part(moment.signals.relative, start, end))))


def _low(moment: Moment, stamp: Stamp, start: int, end: int) -> TensionOut:
    extreme = _round(np.nanmin(moment.signals.part(moment.signals.relative, start, end)))
    return TensionOut(**stamp, side="low", extreme=extreme)


def _high(moment: Moment, stamp: Stamp, start: int, end: int) -> TensionOut:
    extreme = _round(np.nanmax(moment.signals.part(moment.signals.relative, start, end)))
    return TensionOut(**stamp, side="high", extreme=extreme)


def _loose(moment: Moment, stamp: Stamp, start: int, end: int) -> Slack:
    return Slack(**stamp)


def _peak(moment: Moment, stamp: Stamp, start: int, end: int) -> ForceCeiling:
    tension_n = moment.signals.part(moment.signals.fast_tension, start, end)
    return ForceCeiling(**stamp, peak_tension_n=round(float(np.nanmax(tension_n)), 1))


def _round(value: Any) -> float:
    return round(float(value), 3)
