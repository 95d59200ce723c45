"""The totals of a session count each repetition once, however often its record is sent."""

from monitor.daemon.session import SessionTotals
from monitor.detect.spine import Spine
from monitor.events import Rep
from tests.movements import PROFILES, Act, Down, Leg, Movement, Still

UP: list[Act] = [Leg(1.0, 2.0), Still(0.4)]
HALT: list[Act] = [*UP, Leg(0.08, 2.0), Still(1.0), Leg(0.0, 1.0), Still(1.0)]  # sent again: it went on after all
HALF: list[Act] = [Leg(0.5, 1.0), Still(0.4), Leg(0.0, 1.0), Still(0.4)]


def test_a_repetition_that_is_sent_again_counts_once() -> None:
    acts = (Leg(0.0, 0.5), Still(0.4), *UP, Leg(0.0, 2.0), Still(1.0), *HALT, *HALF, Down(6.0))
    events = Spine(PROFILES["learned"], "s").update(Movement(acts).samples()).events
    assert sum(isinstance(event, Rep) for event in events) > 3
    totals = SessionTotals()
    totals.add(events)
    assert (totals.reps, totals.partial_reps) == (3, 1)
