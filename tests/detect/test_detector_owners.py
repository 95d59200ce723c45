"""Each fact has one detector as its owner, detectors write only their own state, and the movements reach every kind."""

import ast
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings

from firmware_bridge.samples import Samples
from monitor import detect
from monitor.detect.detector import Detector, Findings
from monitor.detect.moment import Fact, Moment
from monitor.detect.panel import FIELD_OF
from monitor.detect.spine import Spine
from monitor.events import KINDS
from tests.detect.feeding import any_profile, feed, repeated, wrap_detectors
from tests.movements import (
    PROFILES,
    Down,
    Helped,
    Leg,
    Movement,
    Pin,
    Still,
    Trouble,
    Tug,
    movements,
)
from tests.soak import long, soak

pytestmark = soak


class Recorded:
    """A detector whose findings and last moment are recorded."""

    def __init__(self, detector: Detector, found: dict[type, set[str]], moments: list[Moment]) -> None:
        self._detector, self._found, self._moments = detector, found, moments
        self.watches = detector.watches

    @property
    def due(self) -> int:
        return self._detector.due

    def update(self, moment: Moment) -> Findings:
        self._moments[:] = [moment]
        findings = self._detector.update(moment)
        for finding in findings:
            self._found.setdefault(type(finding), set()).add(type(self._detector).__name__)
        return findings


class Seen:
    """What happened in many movements: events by kind and special values, findings by detector."""

    def __init__(self) -> None:
        self.reached: set[tuple[str, str]] = set()
        self.found: dict[type, set[str]] = {}
        self.moments: list[Moment] = []

    def look(self, name: str, movement: Movement, drift_n_s: float = 0.0) -> None:
        rows = movement.samples()
        drifting = Samples(rows.t_s, rows.position_m, rows.force_n + drift_n_s * rows.t_s, rows.flags)
        spine = Spine(PROFILES[name], "s", feedback=False)
        wrap_detectors(spine, lambda detector: Recorded(detector, self.found, self.moments))
        for event in feed(spine, drifting)[0]:
            self.reached.add((event.kind, ""))
            for key in ("grade", "cause", "at", "side", "slam", "cut", "partial", "outcome", "ended_set"):
                self.reached.add((event.kind, f"{key}={getattr(event, key, None)}"))
            self.reached.add((event.kind, "part" if event.part_of else "primary"))


@pytest.fixture(scope="module")
def seen() -> Seen:
    seen = Seen()

    @settings(repeated, max_examples=long(130, 40), database=None)
    @given(any_profile, movements(troubles=4))
    def look(name: str, movement: Movement) -> None:
        seen.look(name, movement)

    look()
    rep = (Leg(1.0, 1.8), Still(0.4), Leg(0.0, 2.0), Still(0.4))
    seen.look("learned", Movement((*rep, *rep, Down(1.5), Pin(0.6), *rep, Down(6.0))))
    slow = (Leg(1.0, 2.2), Still(0.4), Leg(0.0, 2.2), Still(0.4))
    seen.look("stack", Movement((*slow, *slow, *slow, Down(6.0)), down=1.4))
    seen.look("motor", Movement((*rep, *rep, Tug(0.0, 6.0))))
    seen.look("stack", Movement((*rep, *rep, *rep, Down(6.0)), (Trouble("frozen", 0.36, 1.0),)))
    heavier = (Helped(1.0, 2.0, 1.1), Tug(1.1, 0.4), Helped(0.0, 2.0, 1.1), Tug(1.1, 0.4))
    seen.look("learned", Movement((Leg(0.0, 0.5), Still(0.4), *rep, *rep, *heavier, *heavier, *rep, Down(6.0))))
    seen.look("learned", Movement((*rep, Down(9.0))), drift_n_s=0.2)
    seen.look("stack", Movement((Leg(-0.053, 0.5), Still(6.0), *rep)))  # on a stop, just above the rest
    seen.look("stack", Movement((*rep, Leg(1.0, 1.8), Still(2.5), Leg(0.0, 2.0), *rep)))  # a rest at the top
    seen.look("stack", Movement((*rep, Leg(0.4, 1.0), Leg(1.0, 0.5), Still(0.4), Leg(0.0, 2.0))))  # a heave on the way
    seen.look("unranged", Movement((*rep, *rep, *rep, *rep)))
    seen.look("static", Movement((Leg(0.1, 0.5), Still(6.0), Down(6.0))))
    jump = Trouble("jump", 0.6917, 1.0)  # in a repetition, which therefore goes on after its end
    seen.look("plates", Movement((Leg(0.05, 4.0), Down(1.5), Leg(1.0, 1.8), Leg(0.0, 2.0), Down(6.0)), (jump,)))
    return seen


def test_each_fact_has_one_owner_and_no_detector_changes_a_moment(seen: Seen) -> None:
    """Only one detector returns each kind of fact, and the struct names that detector."""
    facts = {kind: owners for kind, owners in seen.found.items() if issubclass(kind, Fact)}
    assert facts.keys() == {kind for kind in FIELD_OF if issubclass(kind, Fact)}
    for kind, owners in facts.items():
        (owner,) = owners
        assert (kind.__doc__ or "").startswith(f"By {owner}"), f"{kind.__name__} is returned by {owner}"
    for field in msgspec.structs.fields(Moment):
        with pytest.raises(AttributeError):
            setattr(seen.moments[0], field.name, None)


def test_a_detector_writes_only_its_own_state() -> None:
    """Outside the spine, the panel and the event book, every attribute that detection assigns is `self`'s."""
    wrong = []
    for path in sorted(Path(detect.__path__[0]).glob("*.py")):
        if path.name in ("spine.py", "panel.py", "event_book.py"):
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Attribute) or isinstance(node.ctx, ast.Load):
                continue
            if ast.unparse(node.value) != "self":
                wrong.append(f"{path.name}:{node.lineno} writes {ast.unparse(node)}")
    assert not wrong, "\n".join(wrong)


def test_the_movements_reach_what_is_tested(seen: Seen) -> None:
    """All kinds, grades and causes occur; otherwise the properties above would not be tested for them."""
    reached = seen.reached
    assert {kind for kind, _ in reached} == set(KINDS)
    for kind, what in (
        *(("turnaround", f"grade={grade}") for grade in ("smooth", "fair", "abrupt", "bounce")),
        *(("jerk", f"cause={cause}") for cause in ("start", "mid")),
        *(("sensor_fault", f"cause={cause}") for cause in (
            "gap", "encoder_jump", "frozen", "saturated", "flagged", "mismatch", "encoder_slip", "restart")),
        ("tension_out", "side=low"),
        ("tension_out", "side=high"),
        ("stack_touch", "slam=True"),
        ("stack_touch", "ended_set=True"),
        ("rep", "partial=True"),
        ("set_end", "outcome=ended"),
        ("tension_out", "cut=True"),
        ("jerk", "part"),
        ("drop", "primary"),
    ):  # fmt: skip
        assert (kind, what) in reached, f"no {kind} with {what}"
