"""A cell that is wired the other way is named."""

from firmware_bridge.samples import Samples
from monitor.detect.spine import Spine
from monitor.events import SensorFault
from tests.detect.feeding import part
from tests.movements import PROFILES, Act, Down, Leg, Movement, Still

REP: list[Act] = [Leg(1.0, 2.0), Still(0.4), Leg(0.0, 2.0), Still(0.4)]
ACTS: list[Act] = [Leg(0.0, 0.5), Still(0.4), *REP, *REP, Down(2.0)]


def details(samples: Samples, rows: int) -> list[object]:
    """What all records of gaps say, where the samples come in batches of so many rows."""
    spine = Spine(PROFILES["stack"], "s")
    batches = [part(samples, at, at + rows) for at in range(0, len(samples), rows)]
    events = [event for batch in batches for event in spine.update(batch).events]
    return [event.detail for event in events if isinstance(event, SensorFault) and event.cause == "gap"]


def test_a_cell_that_is_wired_the_other_way_is_named_when_the_pull_ends() -> None:
    right = Movement(tuple(ACTS)).samples()
    turned = Samples(right.t_s, right.position_m, -right.force_n, right.flags)
    first, *later = details(turned, len(turned))
    assert first == "force"
    assert later
    assert all("wired the other way" in str(detail) for detail in later)
    assert details(turned, 37) == [first, *later]


def test_a_few_readings_below_zero_name_nothing() -> None:
    samples = Movement(tuple(ACTS)).samples()
    samples.force_n[900:910] *= -1
    assert not any("other way" in str(detail) for detail in details(samples, 100))
