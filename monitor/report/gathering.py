"""Gathers the data of a report while a session is analysed.

gathering = Gathering(profile)
analysis = Analysis(..., on_samples=gathering.add_samples, on_positions=gathering.position.add)
for update in ...: gathering.add(update, analysis.spine.limits)
gathered = gathering.finish(analysis.spine.limits)
"""

from dataclasses import dataclass

import numpy as np

from firmware_bridge.samples import Samples
from monitor.events import AnyEvent, Feedback, Update
from monitor.profile.limits import Limits
from monitor.profile.profile import Profile
from monitor.report.curve import Curve

SAMPLE_BUCKET_S = 0.005  # finer than a screen can show
FEEDBACK_BUCKET_S = 0.04  # one feedback per bucket


@dataclass
class Target:
    """The target force of a part of a set, while it was known."""

    set: int
    from_s: float
    until_s: float
    load_n: float


@dataclass(frozen=True)
class Gathered:
    """Curves on the session clock; positions in m above the rest, forces in N."""

    profile: Profile
    limits: Limits  # at the end
    records: list[AnyEvent]
    length_s: float
    position: Curve  # as detection used it: after a restart it continues at the place of the stack
    force: Curve  # as measured
    tension: Curve  # without the machine's friction; empty if the load was never known
    pace: Curve  # the position at the agreed tempo
    targets: list[Target]


class Gathering:
    """Takes the input and output of an analysis with feedback."""

    def __init__(self, profile: Profile) -> None:
        self.position = Curve(SAMPLE_BUCKET_S)
        self._profile = profile
        self._records: list[AnyEvent] = []
        self._length_s = 0.0
        self._force = Curve(SAMPLE_BUCKET_S)
        self._tension, self._pace = Curve(FEEDBACK_BUCKET_S), Curve(FEEDBACK_BUCKET_S)
        self._targets: list[Target] = []

    def add_samples(self, samples: Samples) -> None:
        self._length_s = max(self._length_s, float(samples.t_s.max(initial=0.0)))
        self._force.add(samples.t_s, samples.force_n)

    def add(self, update: Update, limits: Limits) -> None:
        """Adds an update; `limits` are those at its end."""
        self._records += update.events
        if not update.feedback:
            return
        t_s = np.array([now.t_s for now in update.feedback])
        self._tension.add(t_s, np.array([_tension_n(now) for now in update.feedback]))
        pace = np.array(
            [now.pace if now.phase != "rest" and now.pace is not None else np.nan for now in update.feedback]
        )
        self._pace.add(t_s, limits.bottom_m + limits.span_m * pace)
        for now in update.feedback:
            if now.set is not None and now.load_n is not None:
                self._aim(now.set, now.t_s, now.load_n)

    def finish(self, limits: Limits) -> Gathered:
        """The gathered data; `limits` are those at the end."""
        return Gathered(
            profile=self._profile,
            limits=limits,
            records=self._records,
            length_s=self._length_s,
            position=self.position,
            force=self._force,
            tension=self._tension,
            pace=self._pace,
            targets=self._targets,
        )

    def _aim(self, number: int, t_s: float, load_n: float) -> None:
        last = self._targets[-1] if self._targets else None
        if last is None or (last.set, last.load_n) != (number, load_n):
            self._targets.append(Target(number, t_s, t_s, load_n))
        else:
            last.until_s = t_s


def _tension_n(now: Feedback) -> float:
    """The tension without friction; 0 while the stack is on its rest."""
    if now.tension is None or now.load_n is None or now.phase == "rest":
        return np.nan
    return now.tension * now.load_n
