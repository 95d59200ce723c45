"""The steps of a calibration in their order, on a stream of chunks; what a person does meanwhile, the sensors tell.

Nobody has to touch the keyboard between the first step and the last: each ends when its own condition is seen, or is
refused with a cause. After each the state is kept, so that what was done need not be done again.
"""

from collections import deque
from collections.abc import AsyncIterator, Callable
from itertools import pairwise
from typing import Protocol, TypeVar

import numpy as np

from firmware_bridge.chunk import Chunk
from firmware_bridge.formats.calibration import Calibration
from firmware_bridge.formats.decoder import Decoder
from firmware_bridge.formats.messages import Hello
from firmware_bridge.samples import Samples, joined
from monitor.calibrate.findings import Finding, Hold, Rates, Repetitions, Rest, Ring, State
from monitor.calibrate.height import by_drum, on_block
from monitor.calibrate.holds import HoldStep
from monitor.calibrate.rates import MEASURED_S, lost_share, measured_rates
from monitor.calibrate.refused import Refused
from monitor.calibrate.repetitions import two_repetitions
from monitor.calibrate.rest import LOOKED_S, at_rest
from monitor.calibrate.ring import knocked
from monitor.calibrate.sensors import refuse_what_is_broken
from monitor.calibrate.span import refuse_moved_zero, settled, span_of
from monitor.calibrate.tape import Tape, part_of
from monitor.profile.profile import Profile

LOOK_EVERY_S = 0.2
PATIENCE_S = 180.0  # of the device: longer nobody needs for one step
PATIENCE_FOR_KNOCK_S = 45.0
ZERO_MOVED_M = 0.005  # further from the board's own zero than this, a restart will move the range
RAW = Calibration(metres_per_count=1.0, newtons_per_count=1.0)  # counts stay counts

F = TypeVar("F", bound=Finding)
Look = Callable[[Tape], F | str]


class Talk(Protocol):
    """Whoever leads the person; `again` answers whether a refused step is to be tried once more."""

    def step(self, title: str, instruction: str) -> None: ...

    def hint(self, text: str) -> None: ...

    def done(self, text: str) -> None: ...

    def remark(self, text: str) -> None: ...

    async def again(self, refused: Refused) -> bool: ...


class SourceEnded(Exception):
    """The bytes have ended before the calibration."""


class Procedure:
    """`run` it once; `state` grows, `keep` is called whenever it has. Raises Refused where nobody tries again."""

    def __init__(self, profile: Profile, state: State, talk: Talk, keep: Callable[[], None]) -> None:
        self.state = state
        self.hello: Hello | None = None  # who is there, as far as it has said
        self.hello_of: Callable[[], Hello | None] = lambda: None  # the link's, where there is one
        self._profile, self._talk, self._keep = profile, talk, keep
        self._decoder = Decoder(RAW, profile.serial.format)
        self._ready: deque[Samples] = deque()
        self._begun = joined([])
        self._has_position = profile.machine.kind != "static"
        self._has_stack = profile.machine.kind == "stack"

    async def run(self, source: AsyncIterator[Chunk]) -> None:
        self._source = source
        state = self.state
        await self._measure_rates()
        await self._find_rest()
        if self._has_position and state.height is None:
            await self._measure_height()
        while state.span is None:
            await self._hold_weights()
        if self._has_position and state.repetitions is None:
            await self._repeat()
        if self._has_stack and state.answers.tap and state.ring is None:
            await self._knock()
        await self._rest_again()

    # -- the steps --

    async def _measure_rates(self) -> None:
        serial = self._profile.serial
        before = self._decoder.counts

        def look(tape: Tape) -> Rates | str:
            window = tape.last(float("inf"))
            if tape.seconds < MEASURED_S:
                return "listening"
            refuse_what_is_broken(window, has_position=self._has_position)
            self.hello = self.hello or self.hello_of()
            asked_hz = serial.rate_hz if self._has_position and serial.format == "frames" else None
            promised_hz = self.hello.adc_sps if self.hello else None
            lost = lost_share(before, self._decoder.counts)
            rates, self.state.remarks[:] = measured_rates(window, lost, position_hz=asked_hz, force_hz=promised_hz)
            return rates

        self.state.rates = rates = await self._do("Link", "Listening to the board.", lambda: look)
        self.state.firmware = self.hello.firmware if self.hello else None
        who = f"firmware {self.state.firmware}" if self.state.firmware else "text lines"
        position = f"{rates.position_hz:.0f} positions and " if rates.position_hz else ""
        self._done(f"{who}: {position}{rates.force_hz:.1f} forces a second, {rates.lost_share:.1%} of frames lost")
        for remark in self.state.remarks:
            self._talk.remark(remark)

    async def _find_rest(self) -> None:
        where = "Set the stack down on its rest, let the cable go slack" if self._has_stack else "Leave it at its rest"
        if not self._has_position:
            where = "Take everything off the load cell"
        found = await self._do("Rest", f"{where}, and touch nothing for ten seconds.", lambda: self._look_at_rest)
        self.state.rest = found
        self._done(f"the cell rests at {found.force_counts:.0f} counts, its noise is {found.noise_counts:.0f}")

    def _look_at_rest(self, tape: Tape) -> Rest | str:
        if tape.seconds < LOOKED_S:
            return f"{LOOKED_S - tape.seconds:.0f} s"
        return at_rest(tape.last(LOOKED_S), has_position=self._has_position)

    async def _measure_height(self) -> None:
        answers, rest = self.state.answers, self._rest
        if answers.block_mm is not None:
            block_m = answers.block_mm / 1000
            stand = "lift it, put the block under it, and set it down on the block"
            drive = "drive it up to the mark, and stop there"
            found = await self._do(
                "Travel",
                f"{answers.block_mm:g} mm up: {stand if self._has_stack else drive}.",
                lambda: lambda tape: on_block(tape, rest, block_m, has_stack=self._has_stack),
            )
        else:
            assert answers.drum_mm is not None
            assert answers.counts_per_turn is not None
            count_m = answers.drum_mm / 1000 / answers.counts_per_turn
            found = await self._do(
                "Travel",
                "Lift the stack by a hand's breadth and set it down again.",
                lambda: lambda tape: by_drum(tape, rest, count_m),
            )
        self.state.height = found
        self._done(f"{abs(found.metres_per_count) * 1e6:.2f} micrometres a count, good to {found.uncertainty:.2%}")
        away_m = abs(rest.position_counts * found.metres_per_count)
        if self._profile.serial.format == "frames" and away_m > ZERO_MOVED_M:
            said = f"the board counts from {away_m * 1000:.0f} mm away, where the stack was when it was switched on"
            self.state.remarks.append(f"{said}: switch it on with the stack on its rest, else the range moves")
            self._talk.remark(self.state.remarks[-1])

    async def _hold_weights(self) -> None:
        state = self.state
        for weight_kg in state.answers.weights_kg[len(state.holds) :]:
            how = "set the pin, lift it by a hand's breadth or more, and hold it still; then set it down gently"
            if not self._has_stack:
                how = "hang it on the cell and let it hang still; then take it off"
            found = await self._do(f"Weight {_kg(weight_kg)}", f"{_kg(weight_kg)}: {how}.", self._hold_of(weight_kg))
            state.holds.append(found)
            self._done(f"{found.force_counts - found.zero_counts:+.0f} counts")
        try:
            state.span = span_of(state.holds, self._rest)
        except Refused as refused:
            state.holds.clear()
            self._keep()
            await self._ask(refused)
            return
        worst = max(map(abs, state.span.residuals))
        self._done(
            f"{abs(state.span.newtons_per_count) * 1000:.4f} mN a count; no weight is off by more than {worst:.2%}"
        )

    def _hold_of(self, weight_kg: float) -> Callable[[], Look[Hold]]:
        scale = self.state.height.metres_per_count if self._has_stack and self.state.height else None
        rested = bool(self.state.holds)  # else it may be on the block still
        return lambda: HoldStep(weight_kg, self._rest, scale, rested=rested).look

    async def _repeat(self) -> None:
        state, weight_kg = self.state, self.state.answers.weights_kg[-1]
        assert state.height is not None
        assert state.span is not None
        scale, span = state.height.metres_per_count, state.span
        how = "all the way until the joints lock, five seconds up and five down; then set it down"
        begin = f"With {_kg(weight_kg)}: two" if self._has_stack else "Two"
        found: Repetitions = await self._do(
            "Movement",
            f"{begin} slow repetitions, {how}.",
            lambda: lambda tape: two_repetitions(tape, self._rest, scale, span, has_load=self._has_stack),
        )
        try:
            state.span = settled(span, found, weight_kg)
        except Refused as refused:
            state.holds.clear()
            state.span = None
            self._keep()
            await self._ask(refused)
            await self._hold_weights()
            return await self._repeat()
        state.repetitions = found
        rubs = "" if found.friction is None else f", friction {found.friction:.1%} of the load"
        self._done(f"from {found.bottom_m * 1000:.1f} to {found.top_m * 1000:.1f} mm above the rest{rubs}")

    async def _knock(self) -> None:
        assert self.state.height is not None
        scale = self.state.height.metres_per_count
        try:
            found: Ring = await self._watch(
                lambda tape: knocked(tape, self._rest, scale),
                PATIENCE_FOR_KNOCK_S,
                "Cable",
                "Lift it by a hand's breadth and hold it still; then somebody knocks once on top of the stack.",
            )
        except Refused as refused:
            self._talk.remark(f"{refused.cause}; the cable's resonance stays unknown, which does no harm")
            found = Ring(resonance_hz=None)
        self.state.ring = found
        self._done(f"the cable rings at {found.resonance_hz:g} Hz" if found.resonance_hz else "no ring")

    async def _rest_again(self) -> None:
        span = self.state.span
        assert span is not None
        found = await self._do(
            "Rest again", "Set it down and touch nothing for ten seconds.", lambda: self._look_at_rest
        )
        refuse_moved_zero(self._rest, found, span, self.state.answers.weights_kg[0])
        self.state.last = found
        self._done("both zeros are where they were")

    # -- how a step goes --

    @property
    def _rest(self) -> Rest:
        assert self.state.rest is not None
        return self.state.rest

    async def _do(self, title: str, instruction: str, begin: Callable[[], Look[F]]) -> F:
        """One step, as often as it is refused and somebody tries again."""
        while True:
            try:
                return await self._watch(begin(), PATIENCE_S, title, instruction)
            except Refused as refused:
                await self._ask(refused)
                if refused.restarted and title not in ("Link", "Rest"):
                    await self._find_rest()

    async def _watch(self, look: Look[F], patience_s: float, title: str, instruction: str) -> F:
        self._talk.step(title, instruction)
        tape = Tape()
        while True:
            tape.add(await self._next(title))
            found = look(tape)
            if not isinstance(found, str):
                return found
            self._talk.hint(found)
            if tape.seconds > patience_s:
                raise Refused(f"nothing came of this within {patience_s:g} s ({found})", f"do as told: {instruction}")

    async def _next(self, title: str) -> Samples:
        """The next LOOK_EVERY_S of samples, however the bytes came."""
        while not self._ready:
            try:
                chunk = await anext(self._source)
            except StopAsyncIteration:
                raise SourceEnded(f"the board fell silent in the step {title!r}") from None
            rows = joined([self._begun, self._decoder.feed(chunk)])
            for message in self._decoder.take_control():
                if isinstance(message, Hello):
                    self.hello = message
            number = np.maximum.accumulate(rows.t_s) // LOOK_EVERY_S
            cuts = [0, *(np.flatnonzero(np.diff(number)) + 1).tolist()]
            self._ready += [part_of(rows, first, end) for first, end in pairwise(cuts)]
            self._begun = part_of(rows, cuts[-1], len(rows))
        return self._ready.popleft()

    async def _ask(self, refused: Refused) -> None:
        if not await self._talk.again(refused):
            raise refused

    def _done(self, text: str) -> None:
        self._talk.done(text)
        self._keep()


def _kg(weight_kg: float) -> str:
    return f"{weight_kg:.4g} kg"
