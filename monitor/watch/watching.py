"""The state of a machine at one moment, from the messages received so far."""

from dataclasses import replace

from monitor.mqtt.client.viewer import Viewer
from monitor.report.live_screen import Seen, State

STALE_S = 0.25  # at the live rate
LATE = 1.5  # in intervals of feedback
BLOCKED_AFTER_S = 3.0  # connected, but no message has come
LINKS = {
    "absent": "the sensor box is not connected",
    "opening": "looking for the sensor box",
    "wrong_device": "another device is connected",
    "silent": "the sensor box is silent",
}
UNSTABLE = "the sensor box keeps dropping out: check its cable"
BAND = 0.10  # until the machine has sent its own


def seen_of(viewer: Viewer, now_s: float) -> Seen:
    """Never shows old feedback as if it were current."""
    info = viewer.info
    moves = info is None or info.machine.kind != "static"
    seen = Seen(
        machine=viewer.tree.machine if viewer.tree else "",
        state="live",
        reason="",
        now=viewer.live,
        band=BAND if info is None else info.protocol.band,
        tempo=f"{info.protocol.positive_s:g}/{info.protocol.negative_s:g} s" if info is not None and moves else "",
        moves=moves,
        events=list(viewer.events),
    )
    trouble = _trouble(viewer, now_s)
    return seen if trouble is None else replace(seen, state=trouble[0], reason=trouble[1], now=None)


def stale_after_s(viewer: Viewer) -> float:
    """How long feedback is current: longer while the machine rests, because it is published less often then."""
    return STALE_S if viewer.live is None else max(STALE_S, LATE / viewer.live.feedback_hz)


def _trouble(viewer: Viewer, now_s: float) -> tuple[State, str] | None:
    """The state and its reason; None if the data is live."""
    if not viewer.connected:
        return "offline", viewer.trouble or "connecting"
    if viewer.status is None or viewer.status.state == "offline":
        return "absent", "the machine is off"
    if (reason := LINKS.get(viewer.status.link)) is not None:
        return "absent", reason
    if viewer.live_at_s is None:
        blocked = now_s - viewer.connected_at_s > BLOCKED_AFTER_S
        return "stale", "no data: may this account read?" if blocked else "waiting for data"
    if (age_s := now_s - viewer.live_at_s) > stale_after_s(viewer):
        if viewer.status.link == "unstable":
            return "absent", UNSTABLE
        return "stale", f"no data for {age_s:.0f} s" if age_s >= 1 else "no data"
    return None
