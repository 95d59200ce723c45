"""What the load cell tells against the load: unloading, slack, tension out of its band, too much force.

    m a = T - W - friction

A stack has felt what its cable did: where the tension leaves the load, the stack accelerates, and the encoder sees it.
So nothing is claimed by force alone. On simulated sets the acceleration is at least a third of what the tension
says for every true event, and next to nothing where the cell was disturbed, its zero has walked, the load is another
or the stack stands on its rest.
"""

from typing import Any

import numpy as np

from firmware_bridge.physics import STANDARD_GRAVITY_M_S2 as G
from monitor.detect.interval import DOUBTED_STEPS, Run
from monitor.detect.scene import Scene, steps
from monitor.events import ForceCeiling, Slack, TensionOut, Unload
from monitor.profile.settings import DetectSettings
from monitor.signals.conditions import Bit

FELT = 0.25  # of the acceleration that the tension's way from the load stands for


class TensionDetector:
    """`unload`, `slack`, `tension_out` and `force_ceiling`; silent while the cell cannot be believed."""

    watches = Bit.KNOWN_X | Bit.CEILING | Bit.SLACK | Bit.UNLOAD | Bit.LOW | Bit.HIGH | Bit.EMPTY | Bit.STILL

    def __init__(self, detect: DetectSettings) -> None:
        out = detect.tension_out
        hold, join, ceiling = steps(out.hold_s), steps(out.join_s), steps(detect.force_ceiling.announce_s)
        self._unload = Run(Unload, steps(detect.unload.hold_s), describe=_lowest, believe=_fell)
        self._slack = Run(Slack, steps(detect.slack.announce_s), describe=_nothing, believe=_fell)
        self._low = Run(TensionOut, hold, join, describe=_low, believe=_fell)
        self._high = Run(TensionOut, hold, join, describe=_high, believe=_rose)
        self._ceiling = Run(ForceCeiling, ceiling, describe=_peak, believe=_rose_or_held)

    @property
    def due(self) -> int:
        return min(self._unload.due, self._slack.due, self._low.due, self._high.due, self._ceiling.due)

    def update(self, scene: Scene) -> None:
        kind, free = scene.limits.kind, scene.limits.free
        used = scene.in_set or scene.pulled or kind == "stack"  # off its rest a stack is used, set or not
        let_go = scene.on(Bit.EMPTY) and (kind == "static" or (free and scene.still))  # the set may be over
        judged = (used or free) and not scene.force_doubt and not let_go and not scene.aimless
        for run, bit in (
            (self._ceiling, Bit.CEILING),
            (self._slack, Bit.SLACK),
            (self._unload, Bit.UNLOAD),
            (self._low, Bit.LOW),
            (self._high, Bit.HIGH),
        ):
            run.update(scene, judged and scene.on(bit), scene.now, wait=not used)  # what a bar does may begin its set


def _fell(scene: Scene, start: int, end: int) -> bool:
    return _felt(scene, start, end, -1.0)


def _rose(scene: Scene, start: int, end: int) -> bool:
    return _felt(scene, start, end, 1.0)


def _rose_or_held(scene: Scene, start: int, end: int) -> bool:
    """For longer than any burst of noise: it has met its stop."""
    return end - start > DOUBTED_STEPS or _felt(scene, start, end, 1.0)


def _felt(scene: Scene, start: int, end: int, side: float) -> bool:
    """Whether what hangs there went along, as it does unless it is laid down; yes where nothing does, or is known."""
    limits, track = scene.limits, scene.track
    if not (limits.kind == "stack" or limits.free) or limits.load_n is None:
        return True
    told_g = side * (track.part(track.relative, start, end) - 1)
    felt_g = side * track.part(track.a, start, end) / G
    return not float(np.fmax.reduce(felt_g)) < FELT * float(np.fmax.reduce(told_g))


def _lowest(scene: Scene, start: int, end: int) -> dict[str, Any]:
    return {"low": _round(np.nanmin(scene.track.part(scene.track.relative, start, end)))}


def _low(scene: Scene, start: int, end: int) -> dict[str, Any]:
    return {"side": "low", "extreme": _round(np.nanmin(scene.track.part(scene.track.relative, start, end)))}


def _high(scene: Scene, start: int, end: int) -> dict[str, Any]:
    return {"side": "high", "extreme": _round(np.nanmax(scene.track.part(scene.track.relative, start, end)))}


def _nothing(scene: Scene, start: int, end: int) -> dict[str, Any]:
    return {}


def _peak(scene: Scene, start: int, end: int) -> dict[str, Any]:
    return {"peak_tension_n": round(float(np.nanmax(scene.track.part(scene.track.fast_tension, start, end))), 1)}


def _round(value: Any) -> float:
    return round(float(value), 3)
