"""Which phase of a repetition a moment lies in."""

from monitor.detect.scene import Scene
from monitor.events import Phase
from monitor.signals.conditions import Bit


def phase_of(scene: Scene) -> Phase:
    """From contact and slow velocity; standstill is a turn by where it is, or the positive's stall."""
    if scene.on(Bit.CONTACT):
        return "rest"
    if scene.on(Bit.UP):
        return "positive"
    if scene.on(Bit.DOWN):
        return "negative"
    if not scene.in_set:
        return "rest" if scene.limits.kind != "stack" else "lower_turn"
    if scene.on(Bit.MID) and scene.stalled:
        return "positive"
    if scene.limits.kind == "static":
        return "hold"
    x_m = float(scene.track.x[scene.track.at(scene.now)])
    return "upper_turn" if x_m > scene.limits.bottom_m + 0.5 * scene.limits.range_m else "lower_turn"
