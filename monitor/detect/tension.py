"""What the load cell tells against the load: unloading, slack, tension out of its band, too much force."""

from typing import Any

import numpy as np

from monitor.detect.conditions import Bit
from monitor.detect.run import Run
from monitor.detect.scene import Scene, steps
from monitor.detect.settings import Detect
from monitor.events import ForceCeiling, Slack, TensionOut, Unload


class TensionDetector:
    """`unload`, `slack`, `tension_out` and `force_ceiling`; silent while the cell cannot be believed."""

    watches = (
        Bit.KNOWN_X | Bit.MISFIT | Bit.CEILING | Bit.SLACK | Bit.UNLOAD | Bit.LOW | Bit.HIGH | Bit.EMPTY | Bit.STILL
    )

    def __init__(self, detect: Detect) -> None:
        out = detect.tension_out
        self._unload = Run(Unload, steps(detect.unload.hold_s), describe=_lowest)
        self._slack = Run(Slack, steps(detect.slack.announce_s), describe=_nothing)
        self._low = Run(TensionOut, steps(out.hold_s), steps(out.join_s), describe=_low)
        self._high = Run(TensionOut, steps(out.hold_s), steps(out.join_s), describe=_high)
        self._ceiling = Run(ForceCeiling, steps(detect.force_ceiling.announce_s), describe=_peak)

    @property
    def due(self) -> int:
        return min(self._unload.due, self._slack.due, self._low.due, self._high.due, self._ceiling.due)

    def update(self, scene: Scene) -> None:
        kind = scene.limits.kind
        racked = kind == "motor" and not scene.limits.driven and scene.still
        over = scene.on(Bit.EMPTY) and (kind == "static" or racked)  # let go: the set may be over
        used = scene.in_set or scene.pulled or kind == "stack"  # off its rest a stack is used, set or not
        over = over or scene.aimless
        judged = used and not scene.force_doubt and not over
        for run, bit in (
            (self._ceiling, Bit.CEILING),
            (self._slack, Bit.SLACK),
            (self._unload, Bit.UNLOAD),
        ):
            run.update(scene, judged and scene.on(bit), scene.now)
        banded = judged and not scene.misfit
        odd = scene.on(Bit.MISFIT)  # either it soon passes, or it is a fault
        for run, bit in ((self._low, Bit.LOW), (self._high, Bit.HIGH)):
            run.update(scene, banded and scene.on(bit), scene.now, wait=odd)


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
