"""An event belongs to the repetition in which it began, however late it is known (EVENTS.md 3)."""

from monitor.detect.spine import Spine
from monitor.events import AnyEvent, BottomRest, Rep, StackTouch
from tests.movements import PROFILES, Act, Down, Leg, Movement, Still

REP: list[Act] = [Leg(1.0, 2.0), Still(0.4), Leg(0.0, 2.0)]


def test_a_rest_on_the_stack_belongs_to_the_repetition_that_it_ends() -> None:
    acts: list[Act] = [Leg(0.0, 0.5), Still(0.4), *REP, Down(1.2), *REP, Still(0.4), *REP, Down(8.0)]
    events = Spine(PROFILES["stack"], "s", feedback=False).update(Movement(tuple(acts)).samples()).events
    last: dict[int, AnyEvent] = {event.id: event for event in events}
    assert [event.rep for event in last.values() if isinstance(event, StackTouch)] == [1, 3]
    assert [event.rep for event in last.values() if isinstance(event, BottomRest)] == [1, 3]
    ends = {rep.rep: rep.t_s + (rep.duration_s or 0.0) for rep in last.values() if isinstance(rep, Rep)}
    for event in last.values():
        if event.rep is not None:
            assert all(event.rep <= number for number, end_s in ends.items() if number and event.t_s < end_s), event
