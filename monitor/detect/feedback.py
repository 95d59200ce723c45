"""The live feedback at one moment: tension, position, pace, one cue.

It shows the newest tension and position. Detection waits for centred values, which are more exact but too late for an
eye. The pace follows the protocol's durations, never the lifter's speed.
"""

from typing import Literal, NamedTuple

from monitor.detect.moment import Moment, seconds, steps
from monitor.detect.phase import moving_phase, turn_at
from monitor.detect.set_tally import SetTally
from monitor.detect.shown import ShownTick, shown_at
from monitor.events import AnyEvent, Feedback
from monitor.profile.limits import Limits
from monitor.signals.conditions import Bit
from monitor.signals.grid import STEP_S
from monitor.signals.signal_window import SignalWindow
from monitor.vocabulary.cues import CUES
from monitor.vocabulary.lookup import row_of

FEEDBACK_STEPS = 8  # 25 times a second
CUE_STEPS = steps(1.2)  # how long a cue stays after its event has ended


class _Seen(NamedTuple):
    """The ticks from moment `first` on, as lists: several times faster than arrays."""

    first: int
    x_m: list[float]
    shown: list[ShownTick]
    loaded: list[int]
    in_band: list[int]


class LiveFeedback:
    """Makes the feedback of the moments at which it is due; keeps which cue is due and when this movement began.

    It is due on fixed steps of the grid's head, which is `lag` steps ahead of the moments.
    """

    def __init__(self, lag: int) -> None:
        self._lag = lag
        self._next = 0  # the moment at which feedback is due
        self._seen = _Seen(0, [], [], [], [])
        self._cues: dict[int, tuple[str, int, bool]] = {}  # event id: (cue, moment, still open)
        self._leg = "rest"
        self._leg_start = 0

    def look(self, signals: SignalWindow, limits: Limits, start: int, end: int) -> None:
        """Take the signals of moments `start` to `end`; call it again when they, or the limits, have changed."""
        self._next = first = -(-(start + self._lag) // FEEDBACK_STEPS) * FEEDBACK_STEPS - self._lag
        if first >= end:
            return
        rows = range(signals.row(first), signals.row(end - 1) + 1, FEEDBACK_STEPS)
        some = slice(rows.start, rows.stop, rows.step)
        self._seen = _Seen(
            first,
            signals.x[some].tolist(),
            shown_at(signals, limits, rows),
            signals.loaded[some].tolist(),
            signals.in_band[some].tolist(),
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
        return self._feedback(due, moment, tally)

    def _feedback(self, due: range, moment: Moment, tally: SetTally) -> list[Feedback]:
        limits, seen, in_set = moment.limits, self._seen, moment.in_set
        on_rest, at_lockout = moment.on(Bit.CONTACT), moment.lockout.since is not None
        carried = not (on_rest or moment.held)
        resting: Literal["lockout", "bottom"] | None = (
            "lockout" if at_lockout else "bottom" if on_rest and in_set else None
        )
        load_n = None if limits.selected_n is None else round(limits.selected_n, 1)
        phase = moving_phase(moment)
        made: list[Feedback] = []
        for i, now in enumerate(due, (due.start - seen.first) // FEEDBACK_STEPS):
            tension_n, relative, position, velocity_m_s = seen.shown[i]
            under_load_s, under_tension_s = tally.times_s(seen.loaded[i], seen.in_band[i]) if in_set else (0.0, 0.0)
            made.append(
                Feedback(  # by position: eight times faster than by name
                    seconds(now + self._lag),
                    tension_n,
                    relative if carried else None if relative is None else max(0.0, relative),
                    None if relative is None or not carried else _band(relative, limits.band),
                    turn_at(limits, seen.x_m[i]) if phase is None else phase,
                    position,
                    self._pace(now, moment),
                    velocity_m_s,
                    moment.set_number,
                    moment.reps.full,
                    under_load_s,
                    under_tension_s,
                    resting,
                    self.due_cue(now) if in_set else None,
                    load_n,
                    limits.load_from,
                    moment.trust.fault,
                )
            )
        return made

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


def _band(relative: float, half: float) -> Literal["low", "in", "high"]:
    return "low" if relative < 1 - half else "high" if relative > 1 + half else "in"
