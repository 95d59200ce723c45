"""Runs the steps of a calibration in order, on a stream of chunks.

Each step ends by itself when the sensors show what it waits for, or it is refused with a cause. So the keyboard is not
needed between the first step and the last. The progress is stored after each step.
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
from monitor.calibrate.height import by_drum, on_block
from monitor.calibrate.holds import HoldStep
from monitor.calibrate.rates import MEASURED_S, lost_share, measured_rates
from monitor.calibrate.readings import Readings, part_of
from monitor.calibrate.refused import Refused
from monitor.calibrate.repetitions import two_repetitions
from monitor.calibrate.rest import LOOKED_S, at_rest
from monitor.calibrate.ring import knocked
from monitor.calibrate.sensors import refuse_faulty_sensors
from monitor.calibrate.span import refuse_moved_zero, settled, span_of
from monitor.calibrate.step_results import (
    HoldResult,
    Progress,
    RatesResult,
    RepetitionsResult,
    RestResult,
    RingResult,
    StepResult,
)
from monitor.profile.profile import Profile
from monitor.profile.weights import mass

LOOK_EVERY_S = 0.2
PATIENCE_S = 180.0  # device time: no step takes longer
PATIENCE_FOR_KNOCK_S = 45.0
ZERO_MOVED_M = 0.005  # if the rest is further from the board's own zero, a restart will move the range
RAW = Calibration(metres_per_count=1.0, newtons_per_count=1.0)  # the decoder then returns raw counts

F = TypeVar("F", bound=StepResult)
Look = Callable[[Readings], F | str]


class Guide(Protocol):
    """Shows instructions and results to a person. `again` returns True if a refused step is to be repeated."""

    def step(self, title: str, instruction: str) -> None: ...

    def hint(self, text: str) -> None: ...

    def done(self, text: str) -> None: ...

    def remark(self, text: str) -> None: ...

    async def again(self, refused: Refused) -> bool: ...


class SourceEnded(Exception):
    """The stream of bytes has ended before the calibration."""


class Procedure:
    """Call `run` once. It adds results to `state`, and calls `keep` after each. Raises Refused, SourceEnded."""

    def __init__(self, profile: Profile, state: Progress, guide: Guide, keep: Callable[[], None]) -> None:
        self.state = state
        self.hello: Hello | None = None  # of the board, once it has come
        self.hello_of: Callable[[], Hello | None] = lambda: None  # of the link, if there is one
        self._profile, self._guide, self._keep = profile, guide, keep
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

        def look(readings: Readings) -> RatesResult | str:
            window = readings.last(float("inf"))
            if readings.seconds < MEASURED_S:
                return "measuring"
            refuse_faulty_sensors(window, has_position=self._has_position)
            self.hello = self.hello or self.hello_of()
            asked_hz = serial.rate_hz if self._has_position and serial.format == "frames" else None
            promised_hz = self.hello.adc_sps if self.hello else None
            lost = lost_share(before, self._decoder.counts)
            rates, self.state.remarks[:] = measured_rates(window, lost, position_hz=asked_hz, force_hz=promised_hz)
            return rates

        self.state.rates = rates = await self._do("Link", "Reading from the board.", lambda: look)
        self.state.firmware = self.hello.firmware if self.hello else None
        source = f"firmware {self.state.firmware}" if self.state.firmware else "text lines"
        position = f"{rates.position_hz:.0f} positions and " if rates.position_hz else ""
        self._done(f"{source}: {position}{rates.force_hz:.1f} forces a second, {rates.lost_share:.1%} of frames lost")
        for remark in self.state.remarks:
            self._guide.remark(remark)

    async def _find_rest(self) -> None:
        how = "Set the stack down on its rest, let the cable go slack" if self._has_stack else "Leave it at its rest"
        if not self._has_position:
            how = "Take everything off the load cell"
        found = await self._do("Rest", f"{how}, and touch nothing for ten seconds.", lambda: self._look_at_rest)
        self.state.rest = found
        self._done(f"the load cell reads {found.force_counts:.0f} counts at rest, with {found.noise_counts:.0f} noise")

    def _look_at_rest(self, readings: Readings) -> RestResult | str:
        if readings.seconds < LOOKED_S:
            return f"{LOOKED_S - readings.seconds:.0f} s"
        return at_rest(readings.last(LOOKED_S), has_position=self._has_position)

    async def _measure_height(self) -> None:
        answers, rest = self.state.answers, self._rest
        if answers.block_mm is not None:
            block_m = answers.block_mm / 1000
            stand = "lift it, put the block under it, and set it down on the block"
            drive = "drive it up to the mark, and stop there"
            found = await self._do(
                "Travel",
                f"{answers.block_mm:g} mm up: {stand if self._has_stack else drive}.",
                lambda: lambda readings: on_block(readings, rest, block_m, has_stack=self._has_stack),
            )
        else:
            assert answers.drum_mm is not None
            assert answers.counts_per_turn is not None
            count_m = answers.drum_mm / 1000 / answers.counts_per_turn
            found = await self._do(
                "Travel",
                "Lift the stack by 10 cm and set it down again.",
                lambda: lambda readings: by_drum(readings, rest, count_m),
            )
        self.state.height = found
        scale_um = abs(found.metres_per_count) * 1e6
        self._done(f"{scale_um:.2f} micrometres a count, with an uncertainty of {found.uncertainty:.2%}")
        away_m = abs(rest.position_counts * found.metres_per_count)
        if self._profile.serial.format == "frames" and away_m > ZERO_MOVED_M:
            what = f"the stack was {away_m * 1000:.0f} mm from its rest when the board was switched on"
            self.state.remarks.append(f"{what}: always switch it on with the stack at rest, or the range will move")
            self._guide.remark(self.state.remarks[-1])

    async def _hold_weights(self) -> None:
        state = self.state
        for weight_kg in state.answers.weights_kg[len(state.holds) :]:
            how = "set the pin, lift the weight by 10 cm or more, and hold it still; then set it down gently"
            if not self._has_stack:
                how = "hang the weight on the cell and wait until it is still; then take it off"
            found = await self._do(f"Weight {mass(weight_kg)}", f"{mass(weight_kg)}: {how}.", self._hold_of(weight_kg))
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
        self._done(f"{abs(state.span.newtons_per_count) * 1000:.4f} mN a count; all weights agree within {worst:.2%}")

    def _hold_of(self, weight_kg: float) -> Callable[[], Look[HoldResult]]:
        scale = self.state.height.metres_per_count if self._has_stack and self.state.height else None
        rested = bool(self.state.holds)  # the first weight may still stand on the block
        return lambda: HoldStep(weight_kg, self._rest, scale, rested=rested).look

    async def _repeat(self) -> None:
        state, weight_kg = self.state, self.state.answers.weights_kg[-1]
        assert state.height is not None
        assert state.span is not None
        scale, span = state.height.metres_per_count, state.span
        how = "all the way until the joints lock, five seconds up and five down; then set it down"
        begin = f"With {mass(weight_kg)}, do two" if self._has_stack else "Do two"
        found: RepetitionsResult = await self._do(
            "Movement",
            f"{begin} slow repetitions, {how}.",
            lambda: lambda readings: two_repetitions(readings, self._rest, scale, span, has_load=self._has_stack),
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
            found: RingResult = await self._watch(
                lambda readings: knocked(readings, self._rest, scale),
                PATIENCE_FOR_KNOCK_S,
                "Cable",
                "Lift the stack by 10 cm and hold it still; then let somebody knock once on top of it.",
            )
        except Refused as refused:
            self._guide.remark(f"{refused.cause}; the resonance of the cable stays unknown, which is harmless")
            found = RingResult(resonance_hz=None)
        self.state.ring = found
        self._done(f"the cable resonates at {found.resonance_hz:g} Hz" if found.resonance_hz else "no oscillation")

    async def _rest_again(self) -> None:
        span = self.state.span
        assert span is not None
        found = await self._do(
            "Rest again", "Set the weight down and touch nothing for ten seconds.", lambda: self._look_at_rest
        )
        refuse_moved_zero(self._rest, found, span, self.state.answers.weights_kg[0])
        self.state.last = found
        self._done("both zeros are unchanged")

    # -- running a step --

    @property
    def _rest(self) -> RestResult:
        assert self.state.rest is not None
        return self.state.rest

    async def _do(self, title: str, instruction: str, begin: Callable[[], Look[F]]) -> F:
        """Runs one step, and repeats it as long as it is refused and the person tries again."""
        while True:
            try:
                return await self._watch(begin(), PATIENCE_S, title, instruction)
            except Refused as refused:
                await self._ask(refused)
                if refused.restarted and title not in ("Link", "Rest"):
                    await self._find_rest()

    async def _watch(self, look: Look[F], patience_s: float, title: str, instruction: str) -> F:
        self._guide.step(title, instruction)
        readings = Readings()
        while True:
            readings.add(await self._next(title))
            found = look(readings)
            if not isinstance(found, str):
                return found
            self._guide.hint(found)
            if readings.seconds > patience_s:
                raise Refused(f"this step was not finished within {patience_s:g} s ({found})", instruction)

    async def _next(self, title: str) -> Samples:
        """The next LOOK_EVERY_S seconds of samples, independent of the sizes of the chunks."""
        while not self._ready:
            try:
                chunk = await anext(self._source)
            except StopAsyncIteration:
                raise SourceEnded(f"the board stopped sending in the step {title!r}") from None
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
        if not await self._guide.again(refused):
            raise refused

    def _done(self, text: str) -> None:
        self._guide.done(text)
        self._keep()
