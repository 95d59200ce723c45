"""A sample's way through the monitor, wired once: the daemon and every replay use this object.

    chunk -> Decoder -> Gather -> Breaks -> Spine -> Breaks -> Update (events and feedback)
                 table ->           a table of samples enters here

    daemon/session.py     feeds the chunks of a serial port, one read at a time; it gathers
    playback/playback.py  feeds the chunks of a recording, or the rows of a table, many at a time

A session starts with a fresh analysis at its first chunk. A replay of its recording does the same, so it gives the
same events.
"""

from collections.abc import Callable

from firmware_bridge.chunk import Chunk
from firmware_bridge.formats.decoder import Decoder
from firmware_bridge.formats.messages import Hello
from firmware_bridge.samples import Samples
from monitor.analysis.breaks import Breaks
from monitor.analysis.gather import Gather
from monitor.detect.spine import OnPositions, Spine
from monitor.events import Update
from monitor.learning.machine import LearnedMachine
from monitor.learning.range import LearnedRange
from monitor.profile.converter import informed
from monitor.profile.profile import Profile


class Analysis:
    """One session, from bytes or samples to events.

    `hello` is what the device reported before the first chunk; `learned` is the range from the lifter's last session;
    `machine` is what earlier sessions taught of the machine.
    `gather` hands samples on once a tick of feedback, which costs less; the events are the same. `on_samples` gets each
    batch before the spine does, `on_positions` the positions that detection works with. `encoder_step_m` is what a
    table shows of its encoder.
    """

    def __init__(
        self,
        profile: Profile,
        session: str,
        decoder: Decoder | None = None,
        *,
        hello: Hello | None = None,
        learned: LearnedRange | None = None,
        machine: LearnedMachine | None = None,
        encoder_step_m: float | None = None,
        feedback: bool = True,
        gather: bool = False,
        on_samples: Callable[[Samples], None] | None = None,
        on_positions: OnPositions | None = None,
    ) -> None:
        self.session = session
        self.spine = Spine(
            informed(profile, hello),
            session,
            feedback=feedback,
            learned=learned,
            machine=machine,
            encoder_step_m=encoder_step_m,
        )
        self._breaks = Breaks()
        self.spine.on_positions = None if on_positions is None else self._breaks.restoring(on_positions)
        self.newest_s = 0.0  # session clock
        self._decoder = decoder
        self._gather = Gather() if gather else None
        self._on_samples = on_samples

    @property
    def decoder(self) -> Decoder:
        """Raises ValueError where samples come from a table."""
        if self._decoder is None:
            raise ValueError("this analysis was made for samples: it has no decoder for chunks")
        return self._decoder

    @property
    def rest_s(self) -> float:
        """For so long, by the stream, no chunk can complete anything; 0 where samples are not gathered."""
        return 0.0 if self._gather is None else self._gather.rest_s

    def feed(self, *chunks: Chunk) -> Update:
        """What these chunks complete. Raises ProtocolVersionError at a HELLO of another protocol."""
        return self.add(self.decoder.feed(*chunks))

    def add(self, samples: Samples) -> Update:
        """What these samples complete."""
        ready = samples if self._gather is None else self._gather.add(samples)
        return Update([], []) if ready is None else self._look(ready)

    def flush(self) -> Update:
        """The stream has paused: samples that wait for the rest of their tick are used now."""
        return Update([], []) if self._gather is None else self._look(self._gather.take())

    def finish(self) -> Update:
        """The stream has ended: open intervals are cut."""
        return self.flush() + self._breaks.restored(self.spine.finish())

    def _look(self, samples: Samples) -> Update:
        if not len(samples):
            return Update([], [])
        self.newest_s = max(self.newest_s, float(samples.t_s.max()))
        if self._on_samples is not None:
            self._on_samples(samples)
        return self._breaks.restored(self.spine.update(self._breaks.shortened(samples)))
