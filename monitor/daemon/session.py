"""One session: its recording, decoder and pipeline, from the first chunk to the last.

    chunk -> recorder (a tap, before any parsing)
          -> decoder -> gather -> pipeline -> what was learned, recorded beside the bytes

A session starts a fresh decoder and a fresh pipeline at its first chunk, so that a replay of its recording, which does
the same, tells the same events.
"""

from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path

import msgspec

from firmware_bridge.calibration import Calibration
from firmware_bridge.chunk import Chunk
from firmware_bridge.decoder import Decoder
from firmware_bridge.messages import Hello
from firmware_bridge.samples import Samples
from monitor.calibrate.drift import Watch
from monitor.daemon.gather import Gather
from monitor.daemon.usage import Usage
from monitor.detect.spine import Pipeline
from monitor.events import AnyEvent, Rep, SetEnd, Update
from monitor.learning.range import LearnedRange
from monitor.mqtt.contract.messages import Session as Summary
from monitor.profile.converter import informed
from monitor.profile.profile import Profile
from monitor.profile.reading import profile_to_builtins
from monitor.record.recorder import Recorder
from monitor.record.records import Header, event_record, feedback_record, wire_record

BURST_S = 60.0  # a recording's beginning may be denser


class Session:
    """`recording` None: nothing is recorded (an idle machine is watched, but not kept)."""

    def __init__(
        self,
        profile: Profile,
        hello: Hello | None,
        id: str,
        started_utc: str,
        recording: Path | None,
        now_ns: int,
        learned: LearnedRange | None = None,
    ) -> None:
        self.id = id
        self.started_utc = started_utc  # a label: nothing here looks at a clock
        self.profile = profile
        self.newest_s = 0.0  # session clock
        self.needed_ns = 0  # no sooner can anything come that feedback or an event would follow from
        self.tally = Tally()
        self._calibration = _calibration(profile)
        self.decoder = Decoder(self._calibration, profile.serial.format, hello)
        self.pipeline = Pipeline(informed(profile, hello), self.id, learned=learned)
        self._learned_before = learned
        self._gather = Gather()
        self.usage = Usage(profile.machine.lift_off_n)
        self.watch = Watch(profile.machine)
        self.recorder: Recorder | None = None
        if recording is not None:
            self.recorder = Recorder(recording, self._header(hello, now_ns))

    def feed(self, chunk: Chunk) -> Update:
        """Bytes in, feedback out; both stand in the recording."""
        if self.recorder is not None:
            self.recorder.put(wire_record(chunk))
        samples = self._gather.add(self.decoder.feed(chunk))
        self.needed_ns = chunk.received_ns + round(self._gather.rest_s * 1e9)
        return Update([], []) if samples is None else self._look(samples, chunk.received_ns)

    def flush(self, now_ns: int) -> Update:
        """The stream has paused: what waits for the rest of its tick is looked at now."""
        return self._look(self._gather.take(), now_ns)

    def finish(self, now_ns: int) -> Update:
        """The session is over: open intervals are cut. The recording is closed by `close`."""
        last = self.flush(now_ns)
        return last + self._note(self.pipeline.finish(), now_ns)

    def close(self) -> None:
        """Waits for the disk."""
        if self.recorder is not None:
            self.recorder.close()

    @property
    def idle_s(self) -> float:
        """How long nobody has used the machine, on the session clock."""
        return self.newest_s - (self.usage.last_used_s or 0.0)

    def summary(self) -> Summary:
        tally = self.tally
        return Summary(
            session=self.id,
            started_utc=self.started_utc,
            duration_s=round(self.newest_s, 3),
            sets=tally.sets,
            reps=tally.reps,
            partial_reps=tally.partial_reps,
            under_load_s=round(tally.under_load_s, 3),
            under_tension_s=None if tally.under_tension_s is None else round(tally.under_tension_s, 3),
            leak=None,
            counts=tally.counts,
        )

    def _look(self, samples: Samples, now_ns: int) -> Update:
        if not len(samples):
            return Update([], [])
        self.newest_s = max(self.newest_s, float(samples.t_s.max()))
        self.usage.update(samples)
        self.watch.update(samples)
        return self._note(self.pipeline.update(samples), now_ns)

    def _note(self, update: Update, now_ns: int) -> Update:
        self.tally.add(update.events)
        if any(isinstance(event, SetEnd) for event in update.events):
            self.watch.learned(self.pipeline.load_fit)
        if self.recorder is not None:
            for event in update.events:
                self.recorder.put(event_record(event, now_ns))
            for feedback in update.feedback if self._has_room(self.recorder) else ():
                self.recorder.put(feedback_record(feedback, now_ns))
            if any(isinstance(event, SetEnd) for event in update.events):
                self.recorder.sync()
        return update

    def _has_room(self, recorder: Recorder) -> bool:
        """Whether the recording keeps to its budget; what a replay makes again is left out first."""
        budget_bytes_s = self.profile.record.mb_an_hour * 1e6 / 3600
        return recorder.durable_bytes <= budget_bytes_s * (self.newest_s + BURST_S)

    def _header(self, hello: Hello | None, now_ns: int) -> Header:
        return Header(
            session=self.id,
            machine=self.profile.machine.id,
            created_utc=self.started_utc,
            created_ns=now_ns,
            daemon_version=version("rep-monitor"),
            profile=profile_to_builtins(self.profile),
            calibration=msgspec.to_builtins(self._calibration),
            wire_format=self.profile.serial.format,
            protocol_version=None if hello is None else hello.protocol,
            firmware_version=None if hello is None else hello.firmware,
            boot_id=None if hello is None else hello.boot_id,
            hello=None if hello is None else hello.to_bytes(0)[2:],  # without type and seq
            learned=None if self._learned_before is None else msgspec.to_builtins(self._learned_before),
            provenance={"port": self.profile.serial.port or ""},
        )


class Tally:
    """A session's sums over its sets."""

    def __init__(self) -> None:
        self.sets = self.reps = self.partial_reps = 0
        self.under_load_s = 0.0
        self.under_tension_s: float | None = None
        self.counts: dict[str, int] = {}

    def add(self, events: Iterable[AnyEvent]) -> None:
        for event in events:
            if isinstance(event, Rep):
                self.reps += 1
                self.partial_reps += event.partial
            if isinstance(event, SetEnd):
                self.sets += 1
                self.under_load_s += event.under_load_s
                if event.under_tension_s is not None:
                    self.under_tension_s = (self.under_tension_s or 0.0) + event.under_tension_s
                for kind, n in event.counts.items():
                    self.counts[kind] = self.counts.get(kind, 0) + n


def _calibration(profile: Profile) -> Calibration:
    table = profile.calibration
    assert table is not None  # `run` has checked it
    return Calibration(**msgspec.to_builtins(table))
