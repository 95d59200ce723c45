"""A visit: the sets of one client, in order, whose gaps are below three hours."""

from dataclasses import dataclass

GAP_S = 3 * 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitSet:
    """One set. What is null is not known."""

    site: str
    machine: str
    store_id: str
    seq: int  # with site, machine and store_id: its key
    label: str  # what people call the machine
    ended_unix_s: float
    started_unix_s: float | None
    load_n: float | None
    seat: str  # as the machine is set for the client now
    under_load_s: float
    under_tension_s: float | None
    skill: float | None
    strength_n: float | None
    outcome: str  # as detected
    failure: bool  # as marked by hand, else as detected
    marked_failure: bool | None
    reps: int
    partial_reps: int
    clean_reps: int | None
    pause_before_s: float | None  # since the end of the client's set before it; null also where clocks disagree
    note: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """A client's way through the gym. Without a client: the sets of everybody whom no machine named."""

    client_id: str | None  # as the machines had it; perhaps nobody knows it any more
    name: str | None  # null also without consent
    began_unix_s: float
    ended_unix_s: float
    sets: list[VisitSet]
