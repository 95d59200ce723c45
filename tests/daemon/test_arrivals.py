"""When a sample arrives, foreseen from the reads before it."""

from monitor.daemon.arrivals import READS, Arrivals

SECOND_NS = 1_000_000_000


def test_the_read_that_was_least_late_counts() -> None:
    arrivals = Arrivals()
    for number, late_ns in enumerate((3_000_000, 0, 40_000_000)):
        arrivals.note(float(number), (number + 7) * SECOND_NS + late_ns)
    assert arrivals.at_ns(10.04) == 17 * SECOND_NS + 40_000_000


def test_a_clock_that_parts_from_ours_is_followed() -> None:
    arrivals = Arrivals()
    for number in range(3 * READS):
        arrivals.note(float(number), number * SECOND_NS + (number >= READS) * 5_000_000)
    assert arrivals.at_ns(100.0) == 100 * SECOND_NS + 5_000_000
