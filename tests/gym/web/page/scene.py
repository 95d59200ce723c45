"""The known rows of the tests: a floor in every state, three clients, their workouts, a card of two sheets."""

import time

from tests.gym.web.page.fake_gym import LIFTING, FakeGym, Row, a_set, machine, setting, visit

ADA, BEN, EVE = "c-ada0000000", "c-ben0000000", "c-eve0000000"
MARKUP = "<img src=x onerror=document.title='broken'>&amp;"
KG = 9.80665
WEEK_S = 7 * 86_400.0


def fill(gym: FakeGym) -> None:
    now = time.time()
    gym.floor = [
        machine("leg-press", "Leg press", LIFTING, position=1, client_id=ADA, client_name="Ada"),
        machine("row", "Row", {**LIFTING, "resting": "lockout"}, position=2, client_name="Ben", client_id=BEN),
        machine("pulldown", "Pulldown", position=3),
        machine("leg-curl", "Leg curl", state_age_s=754.0, position=4),
        machine("neck", "Neck", position=5, online=False, trouble="The clock is 43 s behind: set the time there."),
        machine("dip", "Dip", {**LIFTING, "fault": "frozen"}, position=6, client_id=EVE, client_name=MARKUP),
    ]
    gym.clients = [
        {"client_id": ADA, "name": "Ada", "consent_on": "2026-10-01", "note": "left knee", "created_unix_s": 0.0},
        {"client_id": BEN, "name": "Ben", "consent_on": None, "note": "", "created_unix_s": 0.0},
        {"client_id": EVE, "name": MARKUP, "consent_on": "2026-10-02", "note": MARKUP, "created_unix_s": 0.0},
    ]
    gym.settings = {ADA: [setting("pulldown", seat="4", next_load_n=45 * KG, protocol="5/5")]}
    first = a_set("leg-press", 7, now - 300, label="Leg press", load_n=82 * KG, pause_before_s=None, note=MARKUP)
    failed = {"outcome": "failure", "failure": True}
    second = a_set("row", 8, now - 100, label="Row", load_n=60 * KG, under_load_s=91.4, pause_before_s=95.0, **failed)
    gym.visits = [
        visit(ADA, "Ada", [first, second]),
        visit(None, None, [a_set("dip", 9, now - 1000, label="Dip", load_n=None, skill=None, under_tension_s=None)]),
        visit(EVE, MARKUP, [a_set("neck", 10, now - 2000, label="Neck")]),
    ]
    gym.cards = {ADA: [_sheet(now, 0, visits=2), _sheet(now, 1, visits=16)]}
    gym.points = [
        {"ended_unix_s": now - weeks * WEEK_S, "skill": 0.9 - weeks / 50, "strength_n": (90 - weeks) * KG}
        for weeks in range(12, -1, -1)
    ]
    answers = [{"command": name, "ok": True, "detail": None} for name in ("lifter", "load", "protocol")]
    gym.next = {"seat": "4", "load_n": 45 * KG, "protocol": "5/5", "answers": answers}


def _sheet(now: float, number: int, visits: int) -> Row:
    began = [now - (visits - at + 2 * number) * WEEK_S for at in range(visits)]
    up = {"load_n": 50 * KG, "change": "up", "reason": "96 s under load, above the window of 60 to 90 s, at failure."}
    none = {"load_n": None, "change": None, "reason": "No set on this machine yet."}
    cell = {"load_n": 45 * KG, "under_load_s": 96.2, "failure": True, "order": 1, "skill": 0.9}
    other = {**cell, "load_n": 42.5 * KG, "under_load_s": 71.0, "failure": False, "order": 2}
    pulldown = setting("pulldown", seat="4", next_load_n=45 * KG, protocol="5/5")
    rows = [
        _row("pulldown", "Pulldown", pulldown, up, [other, cell] * (visits // 2)),
        _row("row", "Row", setting("row"), none, [None] * visits),
    ]
    return {"sheet": number, "sheets": 2, "visits_began_unix_s": began, "rows": rows}


def _row(name: str, label: str, its: Row, suggestion: Row, cells: list[Row | None]) -> Row:
    return {"site": "rep", "machine": name, "label": label, "setting": its, "suggestion": suggestion, "cells": cells}


def full_card(gym: FakeGym, machines: int) -> None:
    """Ada's older sheet with so many machines, every cell and the longest names."""
    sheet = gym.cards[ADA][1]
    row = sheet["rows"][0]
    names = [f"Hip adduction and inner thigh {number}" for number in range(machines)]
    sheet["rows"] = [{**row, "machine": f"m{number}", "label": name} for number, name in enumerate(names)]
