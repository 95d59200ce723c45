"""Faster than the agreed tempo allows."""

from typing import Any

import numpy as np

from monitor.detect.conditions import Bit
from monitor.detect.run import Run
from monitor.detect.scene import Scene, steps
from monitor.detect.settings import SpeedOver as Settings
from monitor.events import SpeedOver


class SpeedDetector:
    """`speed_over`: beyond kappa times the phase's target speed for a while."""

    watches = Bit.FAST

    def __init__(self, settings: Settings) -> None:
        self._run = Run(SpeedOver, steps(settings.hold_s), describe=_fastest)

    @property
    def due(self) -> int:
        return self._run.due

    def update(self, scene: Scene) -> None:
        self._run.update(scene, scene.on(Bit.FAST), scene.now)


def _fastest(scene: Scene, start: int, end: int) -> dict[str, Any]:
    speed = scene.track.part(scene.track.v, start, end)
    return {"peak_velocity_m_s": round(float(np.nanmax(np.abs(speed))), 4)}
