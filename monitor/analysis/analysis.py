"""The path of a sample through the monitor, wired once: the daemon and every replay use this object.

    chunk -> Decoder -> Gather -> Breaks -> Spine -> Breaks -> Update (events and feedback)
                 table ->           a table of samples enters here

    daemon/session.py     feeds the chunks of a serial port, one read at a time, and gathers
    playback/playback.py  feeds the chunks of a recording, or the rows of a table, many at a time

A session starts with a fresh analysis at its first chunk. A replay of its recording does the same, so it gives the
same events.
"""

from collections.abc import Callable

from firmware_bridge.chunk import Chunk, ChunkRun
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

    `hello` is the device's report from before the first chunk. `learned` is the range from the lifter's last session,
    `machine` the friction and zero from earlier sessions. With `gather` the spine gets samples once a tick of feedback,
    which costs less and gives the same events. `on_samples` gets each batch before the spine, `on_positions` the
    positions that detection uses. `encoder_step_m` is the encoder's step, if samples come from a table.
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
        gather: Gather | None = None,
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
        self._gather = gather
        self._on_samples = on_samples

    @property
    def decoder(self) -> Decoder:
        """Raises ValueError if samples come from a table."""
        if self._decoder is None:
            raise ValueError("this analysis takes samples: it has no decoder for chunks")
        return self._decoder

    def feed(self, *chunks: Chunk) -> Update:
        """The events and feedback that these chunks complete. Raises ProtocolVersionError."""
        return self.add(self.decoder.feed(*chunks))

    def feed_run(self, run: ChunkRun) -> Update:
        """The same for many chunks of a recording."""
        return self.add(self.decoder.feed_run(run))

    def add(self, samples: Samples) -> Update:
        """The events and feedback that these samples complete."""
        ready = samples if self._gather is None else self._gather.add(samples)
        return Update([], []) if ready is None else self._look(ready)

    def flush(self) -> Update:
        """The stream has paused: uses the samples that wait for the rest of their tick."""
        return Update([], []) if self._gather is None else self._look(self._gather.take())

    def finish(self) -> Update:
        """The stream has ended: closes open intervals."""
        return self.flush() + self._breaks.restored(self.spine.finish())

    def _look(self, samples: Samples) -> Update:
        if not len(samples):
            return Update([], [])
        self.newest_s = max(self.newest_s, float(samples.t_s.max()))
        if self._on_samples is not None:
            self._on_samples(samples)
        return self._breaks.restored(self.spine.update(self._breaks.shortened(samples)))
