"""All detectors keep one contract: the events do not depend on how the stream is cut, and silence makes none."""

import ast
import pickle
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import cycle
from pathlib import Path
from typing import Any
from zlib import crc32

import msgspec
import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from firmware_bridge.samples import Samples
from monitor import detect
from monitor.detect.detector import Detector, Findings
from monitor.detect.moment import Fact, Moment
from monitor.detect.panel import FIELD_OF, DetectorPanel
from monitor.detect.spine import STEP_S, Spine
from monitor.events import KINDS, AnyEvent, Feedback, Rep, SensorFault, Stage, Turnaround, encode
from monitor.profile.profile import Profile
from monitor.profile.settings import ZeroSettings
from tests.movements import (
    LOAD_N,
    PROFILES,
    REST_M,
    Act,
    Down,
    Helped,
    Leg,
    Movement,
    Pin,
    Still,
    Trouble,
    Tug,
    movements,
    profile,
)
from tests.soak import long, soak

pytestmark = soak
# A failing movement is printed so that it can be pasted; shrinking it would take minutes.
PHASES = (Phase.explicit, Phase.reuse, Phase.generate)
exact = settings(max_examples=long(60, 6), deadline=None, phases=PHASES, suppress_health_check=[HealthCheck.too_slow])
repeated = settings(exact, derandomize=True)  # fixed examples where the last bit may differ
# Hypothesis prefers the ends of a list; a checksum chooses evenly.
any_profile = st.binary(min_size=4, max_size=4).map(lambda some: sorted(PROFILES)[crc32(some) % len(PROFILES)])
Reported = tuple[list[AnyEvent], list[Feedback]]


def part(samples: Samples, start: int, end: int | None) -> Samples:
    rows = slice(start, end)
    return Samples(samples.t_s[rows], samples.position_m[rows], samples.force_n[rows], samples.flags[rows])


def later(samples: Samples, by_s: float) -> Samples:
    return Samples(samples.t_s + by_s, samples.position_m, samples.force_n, samples.flags)


def chunked(samples: Samples, sizes: list[int]) -> Iterator[Samples]:
    """The same rows in chunks of these sizes, repeated."""
    at = 0
    for size in cycle(sizes):
        if at >= len(samples):
            return
        yield part(samples, at, at + size)
        at += size


def feed(spine: Spine, *batches: Samples, finish: bool = True) -> Reported:
    updates = [spine.update(batch) for batch in batches] + ([spine.finish()] if finish else [])
    return [event for update in updates for event in update.events], [f for update in updates for f in update.feedback]


def run(name: str | Profile, samples: Samples, finish: bool = True, feedback: bool = True) -> Reported:
    """What a fresh spine reports for the samples, in one call."""
    own = PROFILES[name] if isinstance(name, str) else name
    return feed(Spine(own, "s", feedback=feedback), samples, finish=finish)


def lines(reported: Reported) -> list[bytes]:
    """The reports as bytes, to compare them exactly."""
    return [encode(event) for event in reported[0]] + [msgspec.json.encode(feedback) for feedback in reported[1]]


def last_records(reported: Reported) -> list[Any]:
    """The last record of each event, in the order of ids."""
    return [event for _, event in sorted({event.id: event for event in reported[0]}.items())]


def known_s(events: list[AnyEvent]) -> list[float | None]:
    """When each record became known: the first when found, the closing one when closed, else None."""
    found: set[int] = set()
    closed: set[int] = set()
    known: list[float | None] = []
    for event in events:
        is_first, is_closing = event.id not in found, event.closed_s is not msgspec.UNSET and event.id not in closed
        found.add(event.id)
        if event.closed_s is not msgspec.UNSET:
            closed.add(event.id)
        known.append(event.closed_s if is_closing else event.found_s if is_first else None)  # type: ignore[arg-type]
    return known


@exact
@given(any_profile, movements())
def test_same_input_same_events(name: str, movement: Movement) -> None:
    assert lines(run(name, movement.samples())) == lines(run(name, movement.samples()))


PRESS = (Leg(to=1.0, duration_s=1.8), Still(0.4), Leg(to=0.0, duration_s=2.0), Still(0.4))
STICK = (Leg(to=0.55, duration_s=1.5), Still(2.4), Leg(to=0.1, duration_s=1.0))
HASTE = (Leg(to=0.35, duration_s=0.35), Tug(1.2, 1.0), Down(1.0, 0.1), Leg(to=0.3, duration_s=1.0), Leg(0.7, 0.5))
LOAD_LEARNED_WHILE_PUSHING = Movement(
    (*PRESS, *STICK, *PRESS, *STICK, *HASTE, Leg(to=0.0, duration_s=0.8), *PRESS, *STICK, Still(0.3), Down(6.0, 0.4)),
    troubles=(),
    position_hz=500.0,
    force_hz=82.0,
    seed=1,
)
LONG_S = 200  # of stillness: more than the signals that are kept
TIRING = tuple(Tug(1.4 - 0.002 * second, 1.0) for second in range(LONG_S))  # so each moment differs
LONG_STILLNESS = Movement((*PRESS, Leg(1.0, 1.0), *TIRING, Leg(0.0, 2.0), *PRESS, Tug(0.0, 6.0)))


@exact
@example("learned", LOAD_LEARNED_WHILE_PUSHING, [5000, 333, 1])
@example("motor", LONG_STILLNESS, [5000, 333])
@given(any_profile, movements(), st.lists(st.sampled_from([1, 2, 7, 20, 50, 333, 5000]), min_size=1, max_size=6))
def test_the_chunks_do_not_matter(name: str, movement: Movement, sizes: list[int]) -> None:
    samples = movement.samples()
    sizes = sizes if max(sizes) > 10 else [*sizes, 50]
    assert lines(feed(Spine(PROFILES[name], "s"), *chunked(samples, sizes))) == lines(run(name, samples))


def test_a_dwell_longer_than_the_kept_signals_is_measured_whole() -> None:
    events, _ = run("motor", LONG_STILLNESS.samples(), feedback=False)
    dwells_s = [rep.upper_dwell_s for rep in events if isinstance(rep, Rep)]
    assert dwells_s == [pytest.approx(dwell_s, abs=0.3) for dwell_s in (0.5, LONG_S, 0.5)]


@exact
@given(any_profile, movements(), st.floats(0, 1))
def test_state_survives_a_pickle_in_the_middle(name: str, movement: Movement, share: float) -> None:
    samples = movement.samples()
    middle = round(share * len(samples))
    spine = Spine(PROFILES[name], "s")
    events, feedback = feed(spine, part(samples, 0, middle), finish=False)
    more_events, more_feedback = feed(pickle.loads(pickle.dumps(spine)), part(samples, middle, None))
    assert lines((events + more_events, feedback + more_feedback)) == lines(run(name, samples))


@exact
@given(any_profile, movements())
def test_records_come_in_order_and_never_from_the_future(name: str, movement: Movement) -> None:
    samples = movement.samples()
    events, feedback = run(name, samples)
    stamps = {round(t_s, 6) for t_s in samples.t_s.tolist()}
    known = [moment for moment in known_s(events) if moment is not None]
    assert known == sorted(known)
    assert stamps.issuperset(known)
    ids = list(dict.fromkeys(event.id for event in events))
    assert ids == list(range(1, len(ids) + 1))
    for event in events:
        assert event.t_s <= event.found_s <= (event.found_s if event.closed_s is msgspec.UNSET else event.closed_s)
        if event.duration_s:
            assert event.t_s + event.duration_s <= known[-1] + 1e-6
    assert [f.t_s for f in feedback] == sorted({f.t_s for f in feedback})
    assert np.allclose(np.diff([f.t_s for f in feedback]), 0.04)


@exact
@given(any_profile, movements())
def test_each_record_goes_on_from_the_one_before_it(name: str, movement: Movement) -> None:
    """Reported values stay: kind, moment, set; an interval ends once; `part_of` names an earlier act.

    Only a repetition may go on after its end.
    """
    events, _ = run(name, movement.samples(), feedback=False)
    before: dict[int, AnyEvent] = {}
    for event in events:
        if (earlier := before.get(event.id)) is not None:
            for key in ("kind", "t_s", "found_s", "set", "session"):
                assert getattr(event, key) == getattr(earlier, key)
            assert earlier.duration_s in (None, event.duration_s) or isinstance(event, Rep)
        before[event.id] = event
        assert event.part_of is None or event.part_of in before
    for event in before.values():
        assert event.duration_s is not None
        assert event.part_of is None or before[event.part_of].part_of is None, f"{event} is not part of a primary"


@exact
@given(any_profile, movements())
def test_live_feedback_does_not_change_events(name: str, movement: Movement) -> None:
    samples = movement.samples()
    assert run(name, samples, feedback=False)[0] == run(name, samples)[0]


@exact
@given(any_profile, movements(), st.floats(0, 1))
def test_a_replay_cut_short_reports_what_the_whole_had_reported_by_then(
    name: str, movement: Movement, share: float
) -> None:
    samples = movement.samples()
    rows = round(share * len(samples))
    now_s = round(float(samples.t_s[:rows].max(initial=0.0)), 6)
    whole, _ = run(name, samples, finish=False, feedback=False)
    until_then, _ = run(name, part(samples, 0, rows), finish=False, feedback=False)
    assert until_then == whole[: len(until_then)]
    known = known_s(whole)
    assert all(moment <= now_s for moment in known[: len(until_then)] if moment is not None)
    assert all(moment >= now_s for moment in known[len(until_then) :] if moment is not None)


def wrap_detectors(spine: Spine, wrap: Callable[[Detector], Detector]) -> None:
    """Wrap each detector of a fresh spine."""
    panel = spine._panel
    before, after = (tuple(map(wrap, detectors)) for detectors in (panel.before, panel.after))
    spine._panel = DetectorPanel(before, after, panel.moment)


class Restless:
    """A detector that is woken at every moment; it still asks for past moments when a load is confirmed."""

    due = -1

    def __init__(self, detector: Detector) -> None:
        self.watches = detector.watches
        self.update = detector.update


@exact
@given(any_profile, movements())
def test_waking_detectors_at_every_moment_changes_nothing(name: str, movement: Movement) -> None:
    samples = movement.samples()
    spine = Spine(PROFILES[name], "s")
    wrap_detectors(spine, Restless)
    assert lines(feed(spine, samples)) == lines(run(name, samples))


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

    def look(self, name: str, movement: Movement) -> None:
        spine = Spine(PROFILES[name], "s", feedback=False)
        wrap_detectors(spine, lambda detector: Recorded(detector, self.found, self.moments))
        for event in feed(spine, movement.samples())[0]:
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


def close(one: Any, other: Any, later_s: float = 0.0, forces: float = 1.0) -> bool:
    """Whether two records agree, the other one `later_s` later and with `forces` times the force."""
    for key in one.__struct_fields__:
        mine, its = getattr(one, key), getattr(other, key)
        if isinstance(mine, float) and isinstance(its, float):
            if key in ("t_s", "found_s", "closed_s"):
                mine, tolerance = mine + later_s, 2e-6
            elif key.endswith("_n"):
                mine, tolerance = mine * forces, 0.15 * forces
            else:
                tolerance = 0.0011  # the last digit
            if abs(mine - its) > tolerance:
                return False
        elif key == "detail" and forces != 1.0:
            continue  # a sentence with newtons in it
        elif key == "loads":
            if not all(close(part, its_part, later_s, forces) for part, its_part in zip(mine, its, strict=True)):
                return False
        elif not isinstance(mine, msgspec.Struct) and mine != its:
            return False
    return type(one) is type(other)


@repeated
@given(any_profile, movements(), st.sampled_from([8, 336, 200_000, 17_280_000]))
def test_shifted_time_shifts_events(name: str, movement: Movement, steps: int) -> None:
    samples = movement.samples()
    events, feedback = run(name, samples)
    later_events, later_feedback = run(name, later(samples, steps * STEP_S))
    assert (len(events), len(feedback)) == (len(later_events), len(later_feedback))
    for one, other in zip(events, later_events, strict=True):
        assert close(one, other, later_s=steps * STEP_S), f"{one}\n{other}"


@repeated
@given(
    st.sampled_from([{}, {"working_load_n": None, "friction": None}, {"force_ceiling_n": 700.0}]),
    movements(),
    st.sampled_from([0.5, 2.0]),
)
def test_scaled_load_scales_forces_and_nothing_else(changes: dict[str, Any], movement: Movement, scale: float) -> None:
    own = {"working_load_n": LOAD_N, "lift_off_n": 50.0} | changes
    scaled = {key: value * scale if key.endswith("_n") and value else value for key, value in own.items()}

    def walking(machine: Profile, scale: float) -> Profile:
        """Scale the drift that a zero may have, too; its noise must not lie on that limit."""
        zero = ZeroSettings(walk_n_per_minute=scale * 14.0)
        return msgspec.structs.replace(machine, detect=msgspec.structs.replace(machine.detect, zero=zero))

    events, _ = run(walking(profile(**own), 1.0), movement.samples(), feedback=False)
    heavier = movement.samples(load_n=LOAD_N * scale)
    scaled_events, _ = run(walking(profile(**scaled), scale), heavier, feedback=False)
    assert len(events) == len(scaled_events)
    for one, other in zip(events, scaled_events, strict=True):
        assert close(one, other, forces=scale), f"{one}\n{other}"


@repeated
@given(movements(troubles=0, floor=False))
def test_mirrored_motion_mirrors_turnarounds(movement: Movement) -> None:
    def turnarounds(mirrored: bool) -> list[Any]:
        deep = profile(rest_m=REST_M - 0.5, starts_with="negative" if mirrored else "positive")
        reported = run(deep, replace(movement, mirrored=mirrored).samples())
        return [event for event in last_records(reported) if isinstance(event, Turnaround)]

    plain, mirrored = turnarounds(False), turnarounds(True)
    assert len(plain) == len(mirrored)
    for one, other in zip(plain, mirrored, strict=True):
        assert {one.at, other.at} == {"upper", "lower"}
        assert one.t_s == pytest.approx(other.t_s, abs=0.0051)
        assert one.dwell_s == pytest.approx(other.dwell_s, abs=0.0051)
        assert {"bounce": "abrupt"}.get(str(one.grade), one.grade) == {"bounce": "abrupt"}.get(
            str(other.grade), other.grade
        )


@exact
@given(any_profile, movements(troubles=0), st.floats(0.02, 0.98), st.sampled_from([0.06, 0.3, 1.0, 2.5, 9.0]))
def test_nothing_is_inferred_from_silence(name: str, movement: Movement, share: float, silence_s: float) -> None:
    samples = movement.samples()
    at = round(share * len(samples))
    from_s, to_s = float(samples.t_s[at - 1]), float(samples.t_s[at]) + silence_s
    samples.t_s[at:] += silence_s
    reported = run(name, samples)
    for event in last_records(reported):
        if isinstance(event, SensorFault | Stage):  # a stage's times are the protocol's
            continue
        assert not from_s + 0.01 < event.t_s < to_s - 0.01, f"{event} began in the silence"
        if event.duration_s and not isinstance(event, Rep):
            end_s = event.t_s + event.duration_s
            assert not event.t_s < from_s < to_s < end_s, f"{event} spans the silence"
            assert not from_s + 0.01 < end_s < to_s - 0.01, f"{event} ended in the silence"
    for feedback in reported[1]:
        if from_s + 0.05 < feedback.t_s < to_s:
            assert feedback.tension_n is None
            assert feedback.position is None


@exact
@given(any_profile, movements(), st.floats(0.1, 1))
def test_the_end_of_the_stream_cuts_what_is_open(name: str, movement: Movement, share: float) -> None:
    samples = movement.samples()
    samples = part(samples, 0, round(share * len(samples)))
    spine = Spine(PROFILES[name], "s")
    spine.update(samples)
    ended = spine.finish()
    assert not ended.feedback
    for event in ended.events:
        assert event.cut is True
        assert event.duration_s is not None
        assert event.t_s + event.duration_s <= samples.t_s.max()
    assert not spine.finish().events


def test_memory_is_bounded() -> None:
    """After hours of every trouble a spine's memory has not grown. The leak of a set is summed up in between."""
    acts: list[Act] = [Leg(1.0, 0.4), Still(1.6), Leg(0.0, 2.0), Still(0.2), Leg(0.6, 0.7), Leg(0.0, 0.4), Down(0.5)]
    shares = np.random.default_rng(1).uniform(0, 1, 16)
    troubles = [Trouble(("gap", "stuck", "SATURATED", "jump")[k % 4], at, 0.3) for k, at in enumerate(shares.tolist())]
    one = Movement((*acts, Down(6.0), *acts, Still(1.0)), tuple(troubles), position_hz=100.0).samples()
    length_s = float(one.t_s.max()) + 0.01
    for name in ("learned", "motor", "static"):
        spine = Spine(PROFILES[name], "s", feedback=False)
        sizes_bytes = []
        for k in range(26):
            spine.update(later(one, k * length_s))
            if k % 2 == 1:
                sizes_bytes.append(len(pickle.dumps(spine)))
        assert max(sizes_bytes[6:]) <= max(sizes_bytes[:6]) + 16_384, name


def test_an_idle_machine_reports_nothing() -> None:
    for name in PROFILES:
        assert not run(name, Movement((Still(60.0),)).samples())[0]


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
