"""Faster than the agreed tempo allows."""

from typing import Any

import numpy as np

from monitor.detect.interval import Run
from monitor.detect.scene import Scene, steps
from monitor.events import SpeedOver
from monitor.profile.settings import SpeedOverSettings
from monitor.signals.conditions import Bit

FLICKER_S = 0.1  # for less a coarse encoder makes a steady speed look slower


class SpeedDetector:
    """`speed_over`: beyond kappa times the phase's target speed for a while."""

    watches = Bit.FAST

    def __init__(self, settings: SpeedOverSettings) -> None:
        hold, join = steps(settings.hold_s), steps(FLICKER_S)
        self._up = Run(SpeedOver, hold, join, describe=_fastest)
        self._down = Run(SpeedOver, hold, join, describe=_fastest)

    @property
    def due(self) -> int:
        return min(self._up.due, self._down.due)

    def update(self, scene: Scene) -> None:
        fast, up = scene.on(Bit.FAST), float(scene.track.v[scene.track.at(scene.now)]) > 0
        self._up.update(scene, fast and up, scene.now)
        self._down.update(scene, fast and not up, scene.now)


def _fastest(scene: Scene, start: int, end: int) -> dict[str, Any]:
    speed = scene.track.part(scene.track.v, start, end)
    return {"peak_velocity_m_s": round(float(np.nanmax(np.abs(speed))), 4)}
