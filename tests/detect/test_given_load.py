"""A given load judges a set from its beginning, once a repetition has shown that it is the same along the way."""

from typing import Any

import pytest

from monitor.detect.spine import Spine
from monitor.events import SetEnd
from tests.movements import FRICTION, Act, Down, Helped, Leg, Movement, Still, profile

REP: list[Act] = [Leg(1.0, 2.0), Still(0.4), Leg(0.0, 2.0), Still(0.4)]


def records(acts: list[Act], **machine: Any) -> list[Any]:
    """The last record of each event."""
    spine = Spine(profile(**machine), "s", feedback=False)
    movement = Movement((Leg(0.0, 0.5), Still(0.4), *acts, Down(8.0)))
    events = spine.update(movement.samples()).events + spine.finish().events
    return list({event.id: event for event in events}.values())


@pytest.mark.parametrize(("factor", "side"), [(0.6, "lighter"), (1.3, "heavier")])
@pytest.mark.parametrize("resistance", [None, "constant"])
def test_help_with_the_first_repetition_is_reported(factor: float, side: str, resistance: str | None) -> None:
    helped: list[Act] = [Helped(1.0, 2.0, factor), Still(0.4), Leg(0.0, 2.0), Still(0.4)]
    machine = {"friction": FRICTION} | ({} if resistance is None else {"resistance": resistance})
    events = records([*helped, *REP, *REP], **machine)
    (assist,) = [event for event in events if event.kind == "assist"]
    assert (assist.side, assist.rep) == (side, 1)
    parts = [event for event in events if event.kind in ("unload", "tension_out", "force_ceiling")]
    assert parts
    assert all(event.part_of == assist.id for event in parts)
    (end,) = [event for event in events if isinstance(event, SetEnd)]
    assert end.skill is not None
    assert end.skill > 0.99


def test_what_was_reported_before_is_not_reported_again() -> None:
    carried: list[Act] = [Helped(1.0, 2.0, 0.1), Still(0.4), Leg(0.0, 2.0), Still(0.4)]
    for acts in ([*carried, *REP, *REP], [*REP, Leg(0.0, 0.5), *REP]):
        with_, without = (
            sorted((event.kind, event.rep or 0) for event in records(acts, friction=FRICTION, **more))
            for more in ({}, {"resistance": "constant"})
        )
        assert with_ == without
