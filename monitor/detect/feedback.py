"""The live feedback at one moment: tension, position, pace, one cue.

It shows the newest tension and position. Detection waits for centred values, which are more exact but too late for an
eye. The pace follows the protocol's durations, never the lifter's speed.
"""

from typing import Literal

from monitor.detect.moment import Moment, seconds, steps
from monitor.detect.set_tally import SetTally
from monitor.events import AnyEvent, Feedback
from monitor.signals.conditions import Bit
from monitor.signals.friction import relative_tension_now
from monitor.signals.grid import STEP_S
from monitor.vocabulary.cues import CUES
from monitor.vocabulary.lookup import row_of

CUE_STEPS = steps(1.2)  # how long a cue stays after its event has ended
SHOWN_FROM, SHOWN_TO = -0.2, 1.2  # of the range: a picture shows a little beyond it
HEAD_STEPS = 4  # the shown tension is a mean over 20 ms: single readings flicker


class LiveFeedback:
    """Keeps which cue is due and when the present movement began."""

    def __init__(self) -> None:
        self._cues: dict[int, tuple[str, int, bool]] = {}  # event id: (cue, moment, still open)
        self._leg = "rest"
        self._leg_start = 0

    def note(self, records: list[AnyEvent], now: int) -> None:
        """Take the events that were reported at this moment."""
        if records:
            self._forget(now)
        for record in records:
            cue = row_of(record).cue
            if cue is None:  # not a fault after all: for example, the contact ended the set
                self._cues.pop(record.id, None)
            else:
                self._cues[record.id] = (cue, now, record.duration_s is None)

    def follow(self, moment: Moment) -> None:
        """Take the phase of this moment."""
        if moment.phase == "rest":
            self._leg = "rest"
        elif moment.phase in ("positive", "negative") and moment.phase != self._leg:  # a stall does not restart it
            self._leg, self._leg_start = moment.phase, moment.now

    def feedback(self, moment: Moment, tally: SetTally, head: int) -> Feedback:
        """The feedback at the grid's newest step, `head`; `moment`, the newest judged one, is `lag` steps older."""
        limits, signals = moment.limits, moment.signals
        row = signals.row(moment.now)
        tension_n = _mean(signals.head_tension[max(0, row + 1 - HEAD_STEPS) : row + 1].tolist())
        x_m, v_m_s = float(signals.head_x[row]), float(signals.v[row])
        position = (x_m - limits.bottom_m) / limits.span_m if x_m == x_m else None
        relative = _relative(moment, tension_n, x_m, v_m_s)
        under_load_s = under_tension_s = 0.0
        if moment.in_set:
            under_load_s, under_tension_s = tally.times_s(signals, moment.now + 1)
        on_rest, at_lockout = moment.on(Bit.CONTACT), moment.lockout.since is not None
        carried = not (on_rest or moment.held)
        return Feedback(
            t_s=seconds(head),
            tension_n=None if tension_n is None else round(tension_n, 1),
            tension=relative if carried else None if relative is None else max(0.0, relative),
            band=None if relative is None or not carried else _band(relative, limits.band),
            phase=moment.phase,
            position=None if position is None else round(min(SHOWN_TO, max(SHOWN_FROM, position)), 4),
            pace=self._pace(moment),
            velocity_m_s=None if v_m_s != v_m_s else round(v_m_s, 4),
            set=moment.set_number,
            rep=moment.reps.full,
            under_load_s=under_load_s,
            under_tension_s=under_tension_s,
            resting="lockout" if at_lockout else "bottom" if on_rest and moment.in_set else None,
            cue=self.due_cue(moment.now) if moment.in_set else None,
            load_n=None if limits.selected_n is None else round(limits.selected_n, 1),
            load_from=limits.load_from,
            fault=moment.trust.fault,
        )

    def _pace(self, moment: Moment) -> float | None:
        if not moment.in_set:
            return None
        elapsed_s = (moment.now - self._leg_start) * STEP_S
        if self._leg == "positive":
            return round(min(1.0, elapsed_s / moment.limits.positive_s), 4)
        if self._leg == "negative":
            return round(max(0.0, 1 - elapsed_s / moment.limits.negative_s), 4)
        return 0.0

    def due_cue(self, now: int) -> str | None:
        """The most important cue among the events that are open or have just ended."""
        if not self._cues:
            return None
        self._forget(now)
        due = {cue for cue, _, _ in self._cues.values()}
        return next((cue.key for cue in CUES if cue.key in due), None)

    def _forget(self, now: int) -> None:
        """Drop the cues of events that ended some time ago."""
        self._cues = {id_: cue for id_, cue in self._cues.items() if cue[2] or now - cue[1] < CUE_STEPS}


def _mean(recent_n: list[float]) -> float | None:
    """The mean of the known values; None if the newest is not known."""
    if recent_n[-1] != recent_n[-1]:
        return None
    known_n = [value for value in recent_n if value == value]
    total_n = 0.0
    for value in known_n:  # one after the other: how `sum` adds depends on the version of Python
        total_n += value
    return total_n / len(known_n)


def _relative(moment: Moment, tension_n: float | None, x_m: float, v_m_s: float) -> float | None:
    limits = moment.limits
    if tension_n is None or limits.load_n is None:
        return None
    share, friction = float(limits.share_at(x_m)), limits.friction or 0.0
    if share != share:  # the load varies along the way, and the position is not known
        return None
    ratio = tension_n / (limits.load_n * share)
    return round(relative_tension_now(ratio, friction, v_m_s, limits.v_rest_m_s, limits.down), 4)


def _band(relative: float, half: float) -> Literal["low", "in", "high"]:
    return "low" if relative < 1 - half else "high" if relative > 1 + half else "in"
