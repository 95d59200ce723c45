"""The live feedback at one moment: tension, position, pace, one cue.

It shows the newest tension and position. Detection waits for centred values, which are more exact but too late for an
eye. The pace follows the protocol's durations, never the lifter's speed.
"""

from typing import Literal, NamedTuple

from monitor.detect.moment import Moment, seconds, steps
from monitor.detect.phase import phase_of
from monitor.detect.set_tally import SetTally
from monitor.events import AnyEvent, Feedback
from monitor.signals.conditions import Bit
from monitor.signals.friction import relative_tension_now
from monitor.signals.grid import STEP_S
from monitor.signals.signal_window import SignalWindow
from monitor.vocabulary.cues import CUES
from monitor.vocabulary.lookup import row_of

FEEDBACK_STEPS = 8  # 25 times a second
CUE_STEPS = steps(1.2)  # how long a cue stays after its event has ended
SHOWN_FROM, SHOWN_TO = -0.2, 1.2  # of the range: a picture shows a little beyond it
HEAD_STEPS = 4  # the shown tension is a mean over 20 ms: single readings flicker


class _Seen(NamedTuple):
    """The signals of the moments with feedback from moment `first` on, as lists: several times faster than arrays."""

    first: int
    x_m: list[float]
    head_x_m: list[float]
    v_m_s: list[float]
    loaded: list[int]
    in_band: list[int]
    recent_n: list[float]  # of every moment, from up to HEAD_STEPS - 1 moments before `first` on
    before: int  # how many of those lie before `first`


class LiveFeedback:
    """Makes the feedback of the moments at which it is due; keeps which cue is due and when this movement began.

    It is due on fixed steps of the grid's head, which is `lag` steps ahead of the moments.
    """

    def __init__(self, lag: int) -> None:
        self._lag = lag
        self._next = 0  # the moment at which feedback is due
        self._seen = _Seen(0, [], [], [], [], [], [], 0)
        self._cues: dict[int, tuple[str, int, bool]] = {}  # event id: (cue, moment, still open)
        self._leg = "rest"
        self._leg_start = 0

    def look(self, signals: SignalWindow, start: int, end: int) -> None:
        """Take the signals of moments `start` to `end`; call it again when they have changed."""
        self._next = first = -(-(start + self._lag) // FEEDBACK_STEPS) * FEEDBACK_STEPS - self._lag
        if first >= end:
            return
        row, last = signals.row(first), signals.row(end - 1) + 1
        since, some = max(0, row + 1 - HEAD_STEPS), slice(row, last, FEEDBACK_STEPS)
        self._seen = _Seen(
            first,
            signals.x[some].tolist(),
            signals.head_x[some].tolist(),
            signals.v[some].tolist(),
            signals.loaded[some].tolist(),
            signals.in_band[some].tolist(),
            signals.head_tension[since:last].tolist(),
            row - since,
        )

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

    def before(self, end: int, moment: Moment, tally: SetTally) -> list[Feedback]:
        """The feedback that is due before moment `end`; since `moment`, the newest judged one, nothing has changed."""
        if self._next >= end:
            return []
        due = range(self._next, end, FEEDBACK_STEPS)
        self._next = due[-1] + FEEDBACK_STEPS
        return [self._feedback(now, moment, tally) for now in due]

    def _feedback(self, now: int, moment: Moment, tally: SetTally) -> Feedback:
        limits, seen = moment.limits, self._seen
        i = (now - seen.first) // FEEDBACK_STEPS
        newest = seen.before + now - seen.first
        tension_n = _mean(seen.recent_n[max(0, newest + 1 - HEAD_STEPS) : newest + 1])
        x_m, v_m_s = seen.head_x_m[i], seen.v_m_s[i]
        position = (x_m - limits.bottom_m) / limits.span_m if x_m == x_m else None
        relative = _relative(moment, tension_n, x_m, v_m_s)
        under_load_s = under_tension_s = 0.0
        if moment.in_set:
            under_load_s, under_tension_s = tally.times_s(seen.loaded[i], seen.in_band[i])
        on_rest, at_lockout = moment.on(Bit.CONTACT), moment.lockout.since is not None
        carried = not (on_rest or moment.held)
        return Feedback(  # by position: eight times faster than by name
            seconds(now + self._lag),
            None if tension_n is None else round(tension_n, 1),
            relative if carried else None if relative is None else max(0.0, relative),
            None if relative is None or not carried else _band(relative, limits.band),
            phase_of(moment, seen.x_m[i]),
            None if position is None else round(min(SHOWN_TO, max(SHOWN_FROM, position)), 4),
            self._pace(now, moment),
            None if v_m_s != v_m_s else round(v_m_s, 4),
            moment.set_number,
            moment.reps.full,
            under_load_s,
            under_tension_s,
            "lockout" if at_lockout else "bottom" if on_rest and moment.in_set else None,
            self.due_cue(now) if moment.in_set else None,
            None if limits.selected_n is None else round(limits.selected_n, 1),
            limits.load_from,
            moment.trust.fault,
        )

    def _pace(self, now: int, moment: Moment) -> float | None:
        if not moment.in_set:
            return None
        elapsed_s = (now - self._leg_start) * STEP_S
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
