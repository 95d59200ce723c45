"""All detectors keep one contract: the events do not depend on how the stream is cut, and silence makes none."""

import pickle

import msgspec
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from firmware_bridge.samples import Samples
from monitor.detect.detector import Detector
from monitor.detect.spine import Spine
from monitor.events import AnyEvent, Rep, SensorFault, Stage, Turnaround
from tests.detect.feeding import (
    any_profile,
    chunked,
    exact,
    feed,
    last_records,
    later,
    lines,
    part,
    run,
    wrap_detectors,
)
from tests.movements import (
    PROFILES,
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
)
from tests.soak import long, soak

pytestmark = soak


def known_s(events: list[AnyEvent]) -> list[float | None]:
    """When each record became known: the first when found, the closing one when closed, else None."""
    found: set[int] = set()
    closed: set[int] = set()
    known: list[float | None] = []
    for event in events:
        first = event.id not in found
        found.add(event.id)
        if isinstance(event.closed_s, float) and event.id not in closed:
            closed.add(event.id)
            known.append(event.closed_s)
        else:
            known.append(event.found_s if first else None)
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

OUT_OF_SIGHT = Movement(
    (
        *(Tug(0.8, 0.05), Leg(1.02, 0.3), Down(6.0, 0.1), Leg(0.95, 1.8), Still(0.5), Leg(0.0, 0.5), Still(0.1)),
        *(Leg(0.35, 0.35), Leg(0.3, 1.0), Leg(0.7, 0.5), *PRESS, *STICK, Down(1.5, 0.4), Pin(0.6)),
        *(Leg(1.0, 1.8), Leg(0.0, 2.0), Down(6.0, 0.4)),
    ),
    troubles=(Trouble("gap", 0.104, 0.2),),
    position_hz=100.0,
    force_hz=82.0,
)  # a repetition whose end is moved to where no position was known


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
@example("fast", OUT_OF_SIGHT, 0.6)
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
@example("fast", OUT_OF_SIGHT, 0.6)
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


SEEMS_BELOW_ITS_REST = Movement(  # for a moment a loaded stack seems to lie lower than it can
    (Leg(1.02, 0.3), Helped(1.0, 2.0, 0.0), Still(0.2), Helped(0.0, 2.0, 1.0), Still(1.0)), position_hz=100.0
)


STANDS_IN_THE_SILENCE = Movement(
    (
        *(Still(2.5), Leg(1.0, 1.8), Still(0.4), Leg(0.0, 2.0), Still(0.4), Leg(0.55, 1.5), Still(2.4)),
        *(Leg(0.1, 1.0), Still(2.5), Leg(0.35, 0.35), Down(6.0)),
    ),
    position_hz=100.0,
)


class Restless:
    """A detector that is woken at every moment; it still asks for past moments when a load is confirmed."""

    due = -1

    def __init__(self, detector: Detector) -> None:
        self.watches = detector.watches
        self.update = detector.update


@settings(exact, max_examples=long(80, 2))
@example("learned", SEEMS_BELOW_ITS_REST)
@given(any_profile, movements())
def test_waking_detectors_at_every_moment_changes_nothing(name: str, movement: Movement) -> None:
    samples = movement.samples()
    spine = Spine(PROFILES[name], "s")
    wrap_detectors(spine, Restless)
    assert lines(feed(spine, samples)) == lines(run(name, samples))


@exact
@example("motor", STANDS_IN_THE_SILENCE, 0.6387, 0.06)
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
        if (
            isinstance(event, Turnaround)
            and event.t_s - event.dwell_s / 2 < from_s < to_s < event.t_s + event.dwell_s / 2
        ):
            continue  # the stack stood before and after it; `t_s` is the middle of that
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
    """After sets with every trouble a spine's memory has not grown. The leak of a set is summed up in between."""
    acts: list[Act] = [Leg(1.0, 0.4), Still(1.6), Leg(0.0, 2.0), Still(0.2), Leg(0.6, 0.7), Leg(0.0, 0.4), Down(0.5)]
    shares = np.random.default_rng(1).uniform(0, 1, 16)
    troubles = [Trouble(("gap", "stuck", "SATURATED", "jump")[k % 4], at, 0.3) for k, at in enumerate(shares.tolist())]
    one = Movement((*acts, Down(6.0), *acts, Still(1.0)), tuple(troubles), position_hz=100.0).samples()
    length_s = float(one.t_s.max()) + 0.01
    for name in ("learned", "motor", "static"):
        spine = Spine(PROFILES[name], "s", feedback=False)
        sizes_bytes = []
        for k in range(long(26, 12)):
            spine.update(later(one, k * length_s))
            if k % 2 == 1:
                sizes_bytes.append(len(pickle.dumps(spine)))
        assert max(sizes_bytes[4:]) <= max(sizes_bytes[:4]) + 16_384, name


def test_an_idle_machine_reports_nothing() -> None:
    for name in PROFILES:
        assert not run(name, Movement((Still(30.0),)).samples())[0]


@pytest.mark.parametrize("name", PROFILES)
@pytest.mark.parametrize(("seen_s", "every_s", "from_s"), [(0.1, 0.4, 2.2), (0.15, 0.2, 0.0)])
def test_records_of_glimpses_read_back(name: str, seen_s: float, every_s: float, from_s: float) -> None:
    """A line that passes a tenth of a second at a time: a record has numbers or null, never NaN."""
    rep: list[Act] = [Leg(1.0, 2.0), Still(0.4), Leg(0.0, 2.0), Still(0.4)]
    rows = Movement((Leg(0.0, 0.5), Still(0.4), *rep, *rep, *rep, Down(6.0))).samples()
    seen = (rows.t_s % every_s < seen_s) | (rows.t_s < from_s)
    glimpses = Samples(rows.t_s[seen], rows.position_m[seen], rows.force_n[seen], rows.flags[seen])
    for event in run(name, glimpses)[0]:
        assert msgspec.json.decode(msgspec.json.encode(event), type=type(event)) == event
