"""A long silence costs the spine no more than a short one, and changes nothing that is reported."""

from itertools import accumulate, pairwise

import msgspec
import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from firmware_bridge.samples import Samples, joined
from monitor.analysis.analysis import Analysis
from monitor.analysis.breaks import AFTER_S, BREAK_S
from monitor.detect.spine import Spine
from monitor.events import AnyEvent, Update, encode
from tests.movements import PROFILES, Movement, movements
from tests.soak import long, soak

pytestmark = soak
DAY_S = 86_400.0
slow = settings(
    max_examples=long(60, 5),
    deadline=None,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
    suppress_health_check=[HealthCheck.too_slow],
)
profiles = st.sampled_from(sorted(PROFILES))
places = st.lists(st.floats(0.0, 1.0), min_size=1, max_size=2).map(sorted)


def silenced(samples: Samples, places: list[float], silence_s: float) -> Samples:
    """Inserts silences of this length at these shares of the rows."""
    t_s = samples.t_s.copy()
    for place in places:
        t_s[round(place * (len(t_s) - 1)) :] += silence_s
    return Samples(t_s, *samples[1:])


def analysed(name: str, *batches: Samples) -> Update:
    analysis = Analysis(PROFILES[name], "s")
    updates = [analysis.add(batch) for batch in batches]
    return sum([*updates, analysis.finish()], Update([], []))


def parts(samples: Samples, ends: list[int]) -> list[Samples]:
    edges = [0, *accumulate(ends), len(samples)]
    cut = [slice(low, high) for low, high in pairwise(edges) if low < min(high, len(samples))]
    return [
        Samples(samples.t_s[rows], samples.position_m[rows], samples.force_n[rows], samples.flags[rows]) for rows in cut
    ]


@settings(slow, derandomize=True)  # the last bit of a number may differ, so the examples do not
@given(name=profiles, movement=movements(), places=places, silence_s=st.floats(BREAK_S + 1, 80.0))
def test_a_shortened_silence_changes_no_event(
    name: str, movement: Movement, places: list[float], silence_s: float
) -> None:
    samples = silenced(movement.samples(), places, silence_s)
    spine = Spine(PROFILES[name], "s")
    whole = spine.update(samples) + spine.finish()
    shortened = analysed(name, samples)
    assert [essence(event) for event in shortened.events] == [essence(event) for event in whole.events]
    lost = len(whole.feedback) - len(shortened.feedback)
    assert 0 <= lost <= len(places) * (silence_s - BREAK_S + 1) / 0.04


def essence(event: AnyEvent) -> tuple[object, ...]:
    """What and when, to 5 ms."""
    times_s = (event.t_s, event.found_s, event.closed_s, event.duration_s)
    return (
        event.id,
        event.kind,
        event.set,
        event.rep,
        event.phase,
        event.part_of,
        *(pytest.approx(t_s, abs=0.0051) if isinstance(t_s, float) else t_s for t_s in times_s),
    )


@slow
@given(name=profiles, movement=movements(), places=places, sizes=st.lists(st.integers(1, 900), max_size=30))
def test_the_batches_of_the_stream_do_not_matter(
    name: str, movement: Movement, places: list[float], sizes: list[int]
) -> None:
    samples = silenced(movement.samples(), places, 10 * DAY_S + 0.123)
    whole, split = analysed(name, samples), analysed(name, *parts(samples, sizes))
    assert [encode(event) for event in split.events] == [encode(event) for event in whole.events]
    assert [msgspec.json.encode(now) for now in split.feedback] == [msgspec.json.encode(now) for now in whole.feedback]


@slow
@given(movement=movements(troubles=0), days=st.integers(1, 300))
def test_later_samples_keep_their_own_time(movement: Movement, days: int) -> None:
    """The same as without the silence, but some days later."""
    one = movement.samples()
    one = Samples(np.round(one.t_s * 4096) / 4096, *one[1:])  # so that a shift by days loses no bit
    end_s = float(one.t_s[-1]) + BREAK_S + 2
    again = joined([one, one])
    again.t_s[len(one) :] += end_s
    late = Samples(again.t_s.copy(), *again[1:])
    late.t_s[len(one) :] += days * DAY_S
    soon_events, late_events = analysed("stack", again).events, analysed("stack", late).events
    border_s = end_s - AFTER_S
    shifted = [round(event.t_s + days * DAY_S * (event.t_s > border_s), 6) for event in soon_events]
    assert [event.t_s for event in late_events] == shifted
    assert [event.kind for event in late_events] == [event.kind for event in soon_events]


def test_a_long_silence_costs_no_more_than_a_short_one() -> None:
    samples = movements_of_a_minute()
    counts = [rows_made(silenced(samples, [0.5], silence_s)) for silence_s in (BREAK_S + 1, 3600.0, 10 * DAY_S)]
    assert max(counts) - min(counts) <= 200  # steps; the part of a second that is kept
    assert max(counts) < rows_made(samples) + (BREAK_S + 1) / 0.005 + 1


def movements_of_a_minute() -> Samples:
    t_s = np.arange(0, 60, 0.004)
    return Samples(t_s, np.full(len(t_s), 0.25), np.zeros(len(t_s)), np.zeros(len(t_s), np.uint8))


def rows_made(samples: Samples) -> int:
    """Steps of the grid, as a listener counts them; on the session clock, and in order."""
    heard: list[NDArray[np.float64]] = []
    analysis = Analysis(PROFILES["stack"], "s", on_positions=lambda at_s, x_m: heard.append(at_s))
    analysis.add(samples)
    at_s = np.concatenate(heard)
    assert (np.diff(at_s) > 0).all()
    assert abs(at_s[-1] - samples.t_s[-1]) < 0.2
    return len(at_s)
