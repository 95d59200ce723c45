"""Guides a lifter from place to place until there are efforts at enough of them."""

from collections.abc import AsyncIterator, Callable

from firmware_bridge.chunk import Chunk
from firmware_bridge.formats.decoder import Decoder
from firmware_bridge.samples import Samples
from monitor.profile.limits import Limits
from monitor.profile.strength import Effort
from monitor.profile.weights import newtons
from monitor.strength.efforts import EffortFinder, Moved

APART = 0.1  # of the range: efforts closer than this are at one place, and the stronger one counts

Say = Callable[[str], None]


class StrengthCourse:
    """`add` samples until `complete`; it tells the lifter what to do next."""

    def __init__(self, limits: Limits, places: int, say: Say) -> None:
        self.efforts: list[Effort] = []
        self._places, self._say = places, say
        self._asks = False  # nobody is asked where the test was recorded
        self._finder = EffortFinder(limits.lift_off_n, limits.rest_m)
        self._apart_m = APART * limits.range_m

    @property
    def complete(self) -> bool:
        return len(self.efforts) >= self._places

    def begin(self) -> None:
        self._asks = True
        self._say(
            f"{self._places} places, one effort at each: lock the machine there, so that it cannot move. Then push "
            "slowly harder, up to all you have, hold it for three seconds, and let go. Rest a minute in between."
        )
        self._ask()

    def add(self, samples: Samples) -> None:
        for found in self._finder.add(samples):
            self._note(found)

    def _note(self, found: Effort | Moved) -> None:
        if self.complete:
            return
        if isinstance(found, Moved):
            self._say(f"The machine moved by {found.by_m * 1000:.0f} mm: lock it, and push again.")
            return
        same = [one for one in self.efforts if abs(one.position_m - found.position_m) < self._apart_m]
        best = max([*same, found], key=lambda one: one.force_n)
        self.efforts = [*(one for one in self.efforts if one not in same), best]
        again = " (the same place: the stronger effort counts)" if same else ""
        self._say(f"{newtons(found.force_n)} at {found.position_m * 100:.1f} cm above the rest{again}.")
        if not self.complete and self._asks:
            self._ask()

    def _ask(self) -> None:
        done = ", ".join(f"{one.position_m * 100:.0f} cm" for one in self.efforts)
        where = f"another place than {done}" if done else "a place near the bottom"
        self._say(f"Place {len(self.efforts) + 1} of {self._places}: {where}.")


async def follow(source: AsyncIterator[Chunk], decoder: Decoder, course: StrengthCourse) -> None:
    """Reads from a board until the course is complete, or the source ends."""
    course.begin()
    async for chunk in source:
        course.add(decoder.feed(chunk))
        if course.complete:
            return
