"""Detects somebody else's force: a tension that load, inertia and friction together do not explain.

A helper lifts the stack (`lighter`) or pushes it down (`heavier`). A faulty sensor looks the same for a moment, so no
assist is detected while a sensor fault is open (EVENTS.md 10).
"""

from monitor.detect.detector import Detection, Ending, Finding, Findings
from monitor.detect.held_condition import HeldCondition
from monitor.detect.moment import NEVER, Assistance, Moment, steps
from monitor.events import Assist, Stamp
from monitor.profile.settings import AssistSettings
from monitor.signals.conditions import Bit

KEPT = 32  # stretches: more than the repetitions that are judged only when the load is known


class AssistDetector:
    """Reports `assist`."""

    watches = Bit.KNOWN_X | Bit.LIGHTER | Bit.HEAVIER | Bit.JUDGED

    def __init__(self, settings: AssistSettings) -> None:
        hold = steps(settings.hold_s)
        self._lighter = HeldCondition(hold, describe=_lighter)
        self._heavier = HeldCondition(hold, describe=_heavier)

    @property
    def due(self) -> int:
        return min(self._lighter.due, self._heavier.due)

    def update(self, moment: Moment) -> Findings:
        judged = moment.in_set and not moment.held and not moment.trust.force_doubted and moment.trust.fault is None
        may_hang = moment.still and moment.on(Bit.HANGS)  # on a hook, which is known only after a while
        findings: list[Finding] = []
        for condition, bit in ((self._lighter, Bit.LIGHTER), (self._heavier, Bit.HEAVIER)):
            findings += condition.update(moment, judged and moment.on(bit), moment.now, wait=may_hang)
        assistance = _newest(moment, findings, (self._lighter.detection, self._heavier.detection))
        return [*findings, assistance] if assistance != moment.assistance else findings


def _newest(moment: Moment, findings: Findings, open_: tuple[Detection[Assist] | None, ...]) -> Assistance:
    known = moment.assistance
    before = known.stretches[:-1] if known.lasts else known.stretches[-KEPT:]
    lasting = [one.start for one in open_ if one is not None]
    if lasting:
        return Assistance((*before, (min(lasting), NEVER)))
    if not known.lasts:
        return known
    end = max((finding.end for finding in findings if isinstance(finding, Ending)), default=moment.now)
    return Assistance((*before, (known.stretches[-1][0], end)))


def _lighter(moment: Moment, stamp: Stamp, start: int, end: int) -> Assist:
    return Assist(**stamp, side="lighter")


def _heavier(moment: Moment, stamp: Stamp, start: int, end: int) -> Assist:
    return Assist(**stamp, side="heavier")
