"""Writes a client's sets as a FIT activity, which watches, training logs and Garmin's and Strava's sites read.

    file_id
    exercise_title ...                  a machine each: its label, by which the sets refer to it
    one visit:
      event (start), record
      set (active), set (rest), ...     weights in 1/16 kg; the duration is the time under load
      record, event (stop), lap, session
    activity                            with the number of sessions

A visit is a session of its own, so a period of several visits is one file. The name of the client is not in it.
"""

from collections.abc import Iterable, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from fit_tool.fit_file_builder import FitFileBuilder
from fit_tool.profile.messages.activity_message import ActivityMessage
from fit_tool.profile.messages.event_message import EventMessage
from fit_tool.profile.messages.exercise_title_message import ExerciseTitleMessage
from fit_tool.profile.messages.file_id_message import FileIdMessage
from fit_tool.profile.messages.lap_message import LapMessage
from fit_tool.profile.messages.record_message import RecordMessage
from fit_tool.profile.messages.session_message import SessionMessage
from fit_tool.profile.messages.set_message import SetMessage
from fit_tool.profile.profile_type import (
    Activity,
    Event,
    EventType,
    FileType,
    FitBaseUnit,
    LapTrigger,
    Manufacturer,
    SessionTrigger,
    SetType,
    Sport,
    SubSport,
)

from firmware_bridge.physics import STANDARD_GRAVITY_M_S2
from monitor.gym.export.selection import ExportedSet, ExportRefused
from monitor.gym.workout.visits import GAP_S
from monitor.profile.weights import unit_name
from monitor.report.local_time import local_moment

MOST_SETS = 2000  # a message has an index of 12 bits, and a pause between two sets is a message, too
PER_KG = 16  # steps of a weight
MOST_KG = 4095.0
MOST_REPS = 65_534
MOST_S = 4_294_967.0  # of a duration
FIRST_UNIX_S = 631_065_600.0  # 31 December 1989, where the time of FIT begins, in UTC
UNKNOWN_EXERCISE = 65_534
MOST_LABEL_BYTES = 60
_FILE_ID, _TITLE, _EVENT, _RECORD, _SET, _LAP, _SESSION, _ACTIVITY = range(8)  # the local number of each message


def write_fit(path: Path, sets: Iterable[ExportedSet]) -> int:
    """`sets`: of one client, in order. Returns how many. Raises OSError, ExportRefused."""
    whole = list(islice(sets, MOST_SETS + 1))
    path.write_bytes(encoded(whole))
    return len(whole)


def encoded(sets: Sequence[ExportedSet]) -> bytes:
    """The whole file. Raises ExportRefused."""
    if len(sets) > MOST_SETS:
        raise ExportRefused(f"a FIT file has at most {MOST_SETS} sets: choose a shorter period")
    return _Activity(sets).encoded()


def visits_of(sets: Iterable[ExportedSet]) -> list[list[ExportedSet]]:
    """A pause of GAP_S ends a visit, as everywhere."""
    visits: list[list[ExportedSet]] = []
    for one in sets:
        if visits and _start_unix_s(one) - visits[-1][-1].ended_unix_s < GAP_S:
            visits[-1].append(one)
        else:
            visits.append([one])
    return visits


class _Activity:
    """The messages of one file. Times of fit-tool are in milliseconds since 1970."""

    def __init__(self, sets: Sequence[ExportedSet]) -> None:
        self._builder = FitFileBuilder(auto_define=True, strict=True)
        self._sets = 0  # messages of that kind so far
        self._titles = {label: number for number, label in enumerate(dict.fromkeys(one.label for one in sets))}
        visits = visits_of(sets)
        self._begin(sets[-1].ended_unix_s)
        lasted_s = [self._visit(number, visit) for number, visit in enumerate(visits)]
        self._end(sets[-1].ended_unix_s, lasted_s)

    def encoded(self) -> bytes:
        return bytes(self._builder.build_bytes())

    def _add(self, message: Any, **fields: Any) -> None:
        """What is None is left out."""
        for name, value in fields.items():
            assert hasattr(message, name), name
            if value is not None:
                setattr(message, name, value)
        self._builder.add(message)

    def _begin(self, ended_unix_s: float) -> None:
        self._add(
            FileIdMessage(local_id=_FILE_ID),
            type=FileType.ACTIVITY,
            manufacturer=Manufacturer.DEVELOPMENT.value,
            product=0,
            serial_number=1,
            time_created=_ms(ended_unix_s),
        )
        for label, number in self._titles.items():
            self._add(
                ExerciseTitleMessage(local_id=_TITLE),
                message_index=number,
                exercise_category=UNKNOWN_EXERCISE,
                exercise_name=number,
                workout_step_name=_shortened(label),
            )

    def _visit(self, number: int, sets: Sequence[ExportedSet]) -> float:
        """Returns how long it lasted, in seconds."""
        began_unix_s, ended_unix_s = _start_unix_s(sets[0]), sets[-1].ended_unix_s
        lasted_s = _duration_s(ended_unix_s - began_unix_s)
        self._timer(began_unix_s, EventType.START)
        self._add(RecordMessage(local_id=_RECORD), timestamp=_ms(began_unix_s))
        for one, before in zip(sets, (None, *sets), strict=False):
            self._set(one, before)
        self._add(RecordMessage(local_id=_RECORD), timestamp=_ms(ended_unix_s))
        self._timer(ended_unix_s, EventType.STOP_ALL)
        of_both = {
            "message_index": number,
            "timestamp": _ms(ended_unix_s),
            "start_time": _ms(began_unix_s),
            "total_elapsed_time": lasted_s,
            "total_timer_time": lasted_s,
            "event_type": EventType.STOP,
            "sport": Sport.TRAINING,
            "sub_sport": SubSport.STRENGTH_TRAINING,
        }
        self._add(LapMessage(local_id=_LAP), event=Event.LAP, lap_trigger=LapTrigger.SESSION_END, **of_both)
        self._add(
            SessionMessage(local_id=_SESSION),
            event=Event.SESSION,
            trigger=SessionTrigger.ACTIVITY_END,
            first_lap_index=number,
            num_laps=1,
            **of_both,
        )
        return lasted_s

    def _set(self, one: ExportedSet, before: ExportedSet | None) -> None:
        """The pause before it, and the set."""
        began_unix_s = _start_unix_s(one)
        if before is not None and began_unix_s > before.ended_unix_s:
            self._add(
                SetMessage(local_id=_SET),
                message_index=self._sets,
                timestamp=_ms(began_unix_s),
                start_time=_ms(before.ended_unix_s),
                duration=_duration_s(began_unix_s - before.ended_unix_s),
                set_type=SetType.REST.value,
            )
            self._sets += 1
        unit = FitBaseUnit.POUND if unit_name() == "lb" else FitBaseUnit.KILOGRAM
        self._add(
            SetMessage(local_id=_SET),
            message_index=self._sets,
            timestamp=_ms(one.ended_unix_s),
            start_time=_ms(began_unix_s),
            duration=_duration_s(one.under_load_s),
            repetitions=min(max(0, one.reps), MOST_REPS),
            weight=_weight_kg(one.load_n),
            weight_display_unit=unit.value,
            set_type=SetType.ACTIVE.value,
            category=[UNKNOWN_EXERCISE],
            category_subtype=[self._titles[one.label]],
        )
        self._sets += 1

    def _timer(self, unix_s: float, event_type: Any) -> None:
        self._add(EventMessage(local_id=_EVENT), timestamp=_ms(unix_s), event=Event.TIMER, event_type=event_type)

    def _end(self, unix_s: float, lasted_s: Sequence[float]) -> None:
        here = local_moment(unix_s)
        offset = None if here is None else here.utcoffset()
        self._add(
            ActivityMessage(local_id=_ACTIVITY),
            timestamp=_ms(unix_s),
            local_timestamp=None if offset is None else round(unix_s - FIRST_UNIX_S + offset.total_seconds()),
            total_timer_time=_duration_s(sum(lasted_s)),
            num_sessions=len(lasted_s),
            type=Activity.MANUAL if len(lasted_s) == 1 else Activity.AUTO_MULTI_SPORT,
            event=Event.ACTIVITY,
            event_type=EventType.STOP,
        )


def _start_unix_s(one: ExportedSet) -> float:
    return one.ended_unix_s - one.under_load_s if one.started_unix_s is None else one.started_unix_s


def _weight_kg(load_n: float | None) -> float | None:
    """The nearest weight that FIT can tell; None if it is not known, or too heavy for FIT."""
    if load_n is None or not 0 <= (weight_kg := load_n / STANDARD_GRAVITY_M_S2) <= MOST_KG:
        return None
    return round(weight_kg * PER_KG) / PER_KG


def _duration_s(seconds: float) -> float:
    """The nearest duration that FIT can tell."""
    return min(max(0.0, seconds), MOST_S)


def _ms(unix_s: float) -> int:
    return round(unix_s * 1000)


def _shortened(label: str) -> str:
    return label.encode()[:MOST_LABEL_BYTES].decode(errors="ignore")
