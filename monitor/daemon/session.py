"""One session of the daemon: analyses and records its chunks, from the first to the last.

chunk -> recorder (a tap, before any parsing)
      -> Analysis -> events and feedback, recorded beside the bytes
"""

import math
from collections.abc import Iterable
from functools import partial
from pathlib import Path

import msgspec

from firmware_bridge.chunk import Chunk
from firmware_bridge.formats.calibration import Calibration
from firmware_bridge.formats.decoder import Decoder
from firmware_bridge.formats.messages import Hello
from firmware_bridge.needed import Needed
from firmware_bridge.samples import Samples
from monitor.analysis.analysis import Analysis
from monitor.analysis.gather import Gather
from monitor.calibrate.drift import DriftMonitor
from monitor.daemon.arrivals import Arrivals
from monitor.daemon.feedback_rate import FeedbackRate
from monitor.daemon.usage import Usage
from monitor.events import AnyEvent, Feedback, Leak, Rep, SetEnd, Update
from monitor.learning.machine import LearnedMachine
from monitor.learning.range import LearnedRange
from monitor.mqtt.contract.messages import SessionMessage
from monitor.profile.profile import Profile
from monitor.profile.reading import profile_to_builtins
from monitor.record.recorder import Recorder
from monitor.record.records import Header, event_record, feedback_record, wire_record
from monitor.version import VERSION

BURST_S = 60.0  # the beginning of a recording may exceed the budget


class LiveSession:
    """With `recording` None nothing is recorded, as for an idle machine."""

    def __init__(
        self,
        profile: Profile,
        hello: Hello | None,
        id: str,
        started_utc: str,
        recording: Path | None,
        now_ns: int,
        learned: LearnedRange | None = None,
        machine: LearnedMachine | None = None,
    ) -> None:
        self.id = id
        self.started_utc = started_utc  # a label
        self.profile = profile
        self.needed = Needed(0)  # before this time nothing comes that completes feedback or an event
        self.totals = SessionTotals()
        self._rate = FeedbackRate()
        self._calibration = _calibration(profile)
        self._learned_before = learned
        self._machine_before = machine
        self.usage = Usage(profile.machine.lift_off_n)
        self.drift = DriftMonitor(profile.machine)
        self._gather = Gather()
        self._arrivals = Arrivals()
        self.analysis = Analysis(
            profile,
            id,
            Decoder(self._calibration, profile.serial.format, hello),
            hello=hello,
            learned=learned,
            machine=machine,
            gather=self._gather,
            on_samples=partial(_look, self.usage, self.drift),  # no method: in a cycle a session would outlive its end
        )
        self.recorder: Recorder | None = None
        if recording is not None:
            self.recorder = Recorder(recording, self._header(hello, now_ns))

    def feed(self, chunk: Chunk) -> Update:
        """Analyses a chunk. The chunk, its events and its feedback are recorded."""
        if self.recorder is not None:
            self.recorder.put(wire_record(chunk))
        update = self.analysis.feed(chunk)
        if math.isfinite(newest_s := self._gather.newest_s):
            self._arrivals.note(newest_s, chunk.received_ns)
            self.needed = Needed(self._arrivals.at_ns(self._gather.due_s), patient=self._rate.at_rest)
        return self._note(update, chunk.received_ns)

    def flush(self, now_ns: int) -> Update:
        """Uses samples that wait for the rest of their interval, because the stream has paused."""
        return self._note(self.analysis.flush(), now_ns)

    def finish(self, now_ns: int) -> Update:
        """Ends the session: open intervals are cut, and the recorder writes the rest."""
        update = self._note(self.analysis.finish(), now_ns)
        if self.recorder is not None:
            self.recorder.end()
        return update

    def due_hz(self, newest: Feedback) -> float | None:
        """The rate to publish the newest feedback with; None if nothing has changed."""
        hz = self._rate.due_hz(newest, self.analysis.spine.limits)
        self._gather.expect(changes=not self._rate.at_rest)
        return hz

    @property
    def idle_s(self) -> float:
        """Seconds since the last use of the machine, on the session clock."""
        return self.analysis.newest_s - (self.usage.last_used_s or 0.0)

    def summary(self) -> SessionMessage:
        totals = self.totals
        return SessionMessage(
            session=self.id,
            started_utc=self.started_utc,
            duration_s=round(self.analysis.newest_s, 3),
            sets=totals.sets,
            reps=totals.reps,
            partial_reps=totals.partial_reps,
            clean_reps=totals.clean_reps,
            set_s=round(totals.set_s, 3),
            under_load_s=round(totals.under_load_s, 3),
            under_tension_s=None if totals.under_tension_s is None else round(totals.under_tension_s, 3),
            leak=totals.leak,
            counts=totals.counts,
        )

    def _note(self, update: Update, now_ns: int) -> Update:
        self.totals.add(update.events)
        if any(isinstance(event, SetEnd) for event in update.events):
            self.drift.learned(self.analysis.spine.load_fit)
        if self.recorder is not None:
            for event in update.events:
                self.recorder.put(event_record(event, now_ns))
            for feedback in update.feedback if self._has_room(self.recorder) else ():
                self.recorder.put(feedback_record(feedback, now_ns))
            if any(isinstance(event, SetEnd) for event in update.events):
                self.recorder.sync()
        return update

    def _has_room(self, recorder: Recorder) -> bool:
        """True if the recording is within its budget. Otherwise feedback is left out, which a replay computes again."""
        budget_bytes_s = self.profile.record.mb_an_hour * 1e6 / 3600
        return recorder.durable_bytes <= budget_bytes_s * (self.analysis.newest_s + BURST_S)

    def _header(self, hello: Hello | None, now_ns: int) -> Header:
        return Header(
            session=self.id,
            machine=self.profile.machine.id,
            created_utc=self.started_utc,
            created_ns=now_ns,
            daemon_version=VERSION,
            profile=profile_to_builtins(self.profile),
            calibration=msgspec.to_builtins(self._calibration),
            wire_format=self.profile.serial.format,
            protocol_version=None if hello is None else hello.protocol,
            firmware_version=None if hello is None else hello.firmware,
            boot_id=None if hello is None else hello.boot_id,
            hello=None if hello is None else hello.to_bytes(0)[2:],  # without type and seq
            learned=None if self._learned_before is None else msgspec.to_builtins(self._learned_before),
            machine_learned=None if self._machine_before is None else msgspec.to_builtins(self._machine_before),
            provenance={"port": self.profile.serial.port or ""},
        )


class SessionTotals:
    """Sums over the sets of a session."""

    def __init__(self) -> None:
        self.sets = self.reps = self.partial_reps = self.clean_reps = 0
        self._newest_rep: Rep | None = None
        self.under_load_s = self.set_s = 0.0
        self.under_tension_s: float | None = None
        self.leak: Leak | None = None
        self.counts: dict[str, int] = {}

    def add(self, events: Iterable[AnyEvent]) -> None:
        for event in events:
            if isinstance(event, Rep):
                self._add_rep(event)
            if isinstance(event, SetEnd):
                self.sets += 1
                self.clean_reps += event.clean_reps or 0
                self.set_s += event.set_s or 0.0
                self.under_load_s += event.under_load_s
                if event.under_tension_s is not None:
                    self.under_tension_s = (self.under_tension_s or 0.0) + event.under_tension_s
                if event.leak is not None:
                    self.leak = event.leak if self.leak is None else self.leak + event.leak
                for kind, n in event.counts.items():
                    self.counts[kind] = self.counts.get(kind, 0) + n

    def _add_rep(self, rep: Rep) -> None:
        """A record that is sent again changes the newest repetition at most."""
        newest = self._newest_rep
        if newest is None or rep.id > newest.id:
            self.reps += 1
            self.partial_reps += rep.partial
        elif rep.id == newest.id:
            self.partial_reps += rep.partial - newest.partial
        if newest is None or rep.id >= newest.id:
            self._newest_rep = rep


def _look(usage: Usage, drift: DriftMonitor, samples: Samples) -> None:
    usage.update(samples)
    drift.update(samples)


def _calibration(profile: Profile) -> Calibration:
    table = profile.calibration
    assert table is not None  # `Daemon` has checked it
    return Calibration(**msgspec.to_builtins(table))
