"""A client's card: a row a machine, a column a visit, 16 visits a sheet, as gyms keep it on paper."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from monitor.gym.people.clients import Client, MachineKey, Setting, client, settings_of
from monitor.gym.workout.errors import UnknownSheet
from monitor.gym.workout.machine_facts import MachineFacts, machine_facts
from monitor.gym.workout.main_sets import MainSets, main_sets
from monitor.gym.workout.next_load import Suggestion, suggest

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


def card(connection: Connection, client_id: str, sheet: int = 0) -> Card:
    """In five queries. Without consent it shows no sets. Raises UnknownClient, UnknownSheet."""
    who = client(connection, client_id)
    settings = {(one.site, one.machine): one for one in settings_of(connection, client_id)}
    visits = main_sets(connection, who)
    sheets = max(1, math.ceil(len(visits) / VISITS_A_SHEET))
    if not 0 <= sheet < sheets:
        raise UnknownSheet(f"the card has no sheet {sheet}: give 0 to {sheets - 1}; 0 has the newest visits")
    end = len(visits) - sheet * VISITS_A_SHEET
    shown = visits[max(0, end - VISITS_A_SHEET) : end]
    keys = settings.keys() | {key for visit in shown for key in visit.by_machine}
    facts = machine_facts(connection, keys)
    return Card(
        client=who,
        sheet=sheet,
        sheets=sheets,
        visits_began_unix_s=[visit.began_unix_s for visit in shown],
        rows=[
            _row(facts[key], settings.get(key) or Setting(site=key[0], machine=key[1]), visits, shown)
            for key in sorted(keys, key=lambda key: (facts[key].position, facts[key].label, key))
        ],
    )


def _row(facts: MachineFacts, setting: Setting, visits: Sequence[MainSets], shown: Sequence[MainSets]) -> CardRow:
    key = (setting.site, setting.machine)
    newest = (visit.by_machine[key] for visit in reversed(visits) if key in visit.by_machine)
    last, before = next(newest, None), next(newest, None)
    return CardRow(
        site=setting.site,
        machine=setting.machine,
        label=facts.label,
        setting=setting,
        suggestion=suggest(last, setting.window_low_s, setting.window_high_s, facts.plates_n, before),
        cells=[_cell(visit, key) for visit in shown],
    )


def _cell(visit: MainSets, key: MachineKey) -> CardCell | None:
    if key not in visit.by_machine:
        return None
    one = visit.by_machine[key]
    return CardCell(
        load_n=one.load_n,
        under_load_s=one.under_load_s,
        failure=one.failure,
        order=list(visit.by_machine).index(key) + 1,
        skill=one.skill,
    )
