"""A client's card: a row a machine, a column a visit, 16 visits a sheet, as gyms keep it on paper."""

from dataclasses import dataclass

from monitor.gym.people.clients import Client, Setting
from monitor.gym.workout.next_load import Suggestion

VISITS_A_SHEET = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class CardCell:
    """A client's set on a machine in one visit; of several, the longest."""

    load_n: float | None
    under_load_s: float
    failure: bool
    order: int  # of the machines of this visit, from 1
    skill: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CardRow:
    """A machine. `cells` has a place for each visit of the sheet."""

    site: str
    machine: str
    label: str
    setting: Setting
    suggestion: Suggestion  # from the newest set, whatever the sheet shows
    cells: list[CardCell | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """One sheet of a client's card. Sheet 0 has the newest visits; the columns of a sheet are in the order of time."""

    client: Client
    sheet: int
    sheets: int
    visits_began_unix_s: list[float]
    rows: list[CardRow]
