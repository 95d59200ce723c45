"""Packets of live feedback."""

from monitor.events import Feedback
from monitor.mqtt.contract import payload
from tests.mqtt.stage import TREE


def feedback(t_s: float) -> Feedback:
    return Feedback(
        t_s=t_s,
        tension_n=500.0,
        tension=1.0,
        band="in",
        phase="positive",
        position=0.5,
        pace=0.5,
        velocity_m_s=0.1,
        set=1,
        rep=0,
        under_load_s=1.0,
        under_tension_s=1.0,
        resting=None,
        cue=None,
        load_n=500.0,
        load_from="given",
        fault=None,
    )


def live(t_s: float) -> payload.Packet:
    return payload.live(TREE, "s", feedback(t_s))
