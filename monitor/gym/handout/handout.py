"""A client's visit as one page of A4 that loads nothing else, to print or to send.

It says what was counted and what the trainer chose. The trainer's notes are not on it.
"""

from collections.abc import Sequence
from importlib.resources import files

from sqlalchemy import Connection

from monitor.gym.handout.choosing import HandoutRefused
from monitor.gym.handout.rows import HandoutRow, visit_table
from monitor.gym.people.clients import Client, Setting, client
from monitor.gym.people.consent import consented
from monitor.gym.workout.card import card
from monitor.gym.workout.main_sets import main_sets
from monitor.gym.workout.visits import LONGEST_S, Visit, visits
from monitor.profile.weights import Unit, shown_in
from monitor.report.blindness import BLIND
from monitor.report.local_time import local_moment, with_zone
from monitor.report.markup import Markup, element, together
from monitor.report.paper import content_policy, paper_style
from monitor.report.words import count, duration
from monitor.version import VERSION

SAME_S = 1.0  # a beginning that went through text and back is the same
MEANINGS = (
    "Time under load: the cable carried the load. Time under tension: the part of it that was in the intended band and "
    "not a rest. Skill: the share of the judged time without a leak. Strength: the load that was moved with that "
    "skill. The small lines show the last visits on the machine, the newest on the right."
)


def handout(connection: Connection, client_id: str, began_unix_s: float, units: Unit) -> str:
    """The page of the visit that began then. Raises UnknownClient, NoConsent, HandoutRefused."""
    person = consented(client(connection, client_id))
    for visit in visits(connection, client_id, began_unix_s - SAME_S, began_unix_s + LONGEST_S):
        if abs(visit.began_unix_s - began_unix_s) <= SAME_S:
            with shown_in(units):
                return _page(person, visit, _rows(connection, person, visit))
    raise HandoutRefused(f"no visit of {person.name} began then: look in the list of visits")


def handout_policy() -> str:
    """The content policy of the page, for the server that gives it."""
    return content_policy(_style())


def _style() -> str:
    return paper_style((files("monitor.gym.handout") / "page" / "handout.css").read_text(encoding="utf-8"))


def _rows(connection: Connection, person: Client, visit: Visit) -> list[HandoutRow]:
    on_card = {(row.site, row.machine): row for row in card(connection, person.client_id).rows}
    history = [one.by_machine for one in main_sets(connection, person)]
    rows = []
    for number, one in enumerate(visit.sets):
        key = (one.site, one.machine)
        points = [sets[key] for sets in history if key in sets]
        decides = not any((later.site, later.machine) == key for later in visit.sets[number + 1 :])
        decides = decides and points[-1].ended_unix_s <= visit.ended_unix_s
        rows.append(
            HandoutRow(
                one=one,
                setting=on_card[key].setting if key in on_card else Setting(site=one.site, machine=one.machine),
                suggestion=on_card[key].suggestion if decides and key in on_card else None,
                history=[point for point in points if point.ended_unix_s <= visit.ended_unix_s],
            )
        )
    return rows


def _page(person: Client, visit: Visit, rows: Sequence[HandoutRow]) -> str:
    style = _style()
    began = local_moment(visit.began_unix_s)
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=content_policy(style)),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("title", f"Training visit, {person.name}" + (f", {began:%Y-%m-%d}" if began else "")),
        element("style", Markup(style)),
    )
    words = element("div", *(element("p", text) for text in (MEANINGS, BLIND)), class_="words quiet")
    foot = element("footer", f"rep-monitor {VERSION}", class_="quiet")
    body = element("body", _header(person, visit), element("main", visit_table(rows), words), foot)
    return together(Markup("<!doctype html>\n"), element("html", head, body, lang="en"), "\n")


def _header(person: Client, visit: Visit) -> Markup:
    began, ended = local_moment(visit.began_unix_s), local_moment(visit.ended_unix_s)
    assert began is not None, "visits have sound times"
    assert ended is not None
    return element(
        "header",
        element("p", "Training visit", class_="eyebrow"),
        element("h1", person.name),
        element("p", element("time", with_zone(began), datetime=began.isoformat()), f", until {ended:%H:%M}"),
        element("p", _sums(visit), class_="quiet"),
    )


def _sums(visit: Visit) -> str:
    machines = len({(one.site, one.machine) for one in visit.sets})
    tensions_s = [one.under_tension_s for one in visit.sets if one.under_tension_s is not None]
    of_it = f", {duration(sum(tensions_s))} of it under tension" if len(tensions_s) == len(visit.sets) else ""
    under_load = f"{duration(sum(one.under_load_s for one in visit.sets))} under load{of_it}"
    return f"{count(machines, 'machine')}, {count(len(visit.sets), 'set')} · {under_load}"
