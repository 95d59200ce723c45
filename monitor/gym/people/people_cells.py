"""A client, and a machine's setting, as the cells of a table; and what the cells of a person change in them."""

import re
from collections.abc import Mapping
from dataclasses import replace

from firmware_bridge.physics import STANDARD_GRAVITY_M_S2
from monitor.gym.people.clients import WINDOW_S, Client, Setting, checked_client, checked_setting
from monitor.gym.people.errors import BadField
from monitor.mqtt.contract.commands import LEAST_LOAD_N, MOST_LOAD_N
from monitor.record.table.errors import shown

OF_CLIENT = ("client_id", "name", "consent_on", "note")
OF_SETTING = ("seat", "window_low_s", "window_high_s", "protocol", "next_load_kg", "machine_note")
COLUMNS = (*OF_CLIENT, "site", "machine", *OF_SETTING)

_NUMERAL = re.compile(r"\d{1,6}([.,]\d{0,9})?", re.ASCII)
_DAY_FIRST = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})", re.ASCII)  # a German spreadsheet writes dates like this

Cells = Mapping[str, str]  # by column


def client_cells(client: Client) -> dict[str, str]:
    cells = (client.client_id, client.name, client.consent_on or "", client.note)
    return dict(zip(OF_CLIENT, cells, strict=True))


def setting_cells(setting: Setting) -> dict[str, str]:
    load_kg = "" if setting.next_load_n is None else _written(setting.next_load_n / STANDARD_GRAVITY_M_S2)
    window = (_written(setting.window_low_s), _written(setting.window_high_s))
    cells = (setting.seat, *window, setting.protocol or "", load_kg, setting.note)
    return {"site": setting.site, "machine": setting.machine} | dict(zip(OF_SETTING, cells, strict=True))


def changed_client(before: Client, cells: Cells) -> Client:
    """A column that is not there changes nothing; nor does an empty name. Raises BadField."""
    return checked_client(
        replace(
            before,
            name=cells.get("name") or before.name,
            consent_on=_iso_date(cells["consent_on"]) if "consent_on" in cells else before.consent_on,
            note=cells.get("note", before.note),
        )
    )


def changed_setting(before: Setting, cells: Cells) -> Setting:
    """A column that is not there changes nothing; an empty cell means the default. Raises BadField."""
    written = setting_cells(before)
    cells = written | dict(cells)

    def number(name: str, before: float | None, unit: float = 1.0) -> float | None:
        """None for an empty cell. What was written with few decimals stays exactly as it was."""
        if not cells[name]:
            return None
        value = _number(name, cells[name])
        return before if _written(value) == written[name] else value * unit

    low_s = number("window_low_s", before.window_low_s)
    high_s = number("window_high_s", before.window_high_s)
    given = replace(
        before,
        seat=cells["seat"],
        window_low_s=WINDOW_S[0] if low_s is None else low_s,
        window_high_s=WINDOW_S[1] if high_s is None else high_s,
        protocol=cells["protocol"] or None,
        next_load_n=number("next_load_kg", before.next_load_n, STANDARD_GRAVITY_M_S2),
        note=cells["machine_note"],
    )
    try:
        return checked_setting(given)
    except BadField as mistake:
        raise _in_the_table(mistake) from mistake


def _in_the_table(mistake: BadField) -> BadField:
    """With the name of the column, and its unit."""
    if mistake.field == "next_load_n":
        least_kg, most_kg = (load_n / STANDARD_GRAVITY_M_S2 for load_n in (LEAST_LOAD_N, MOST_LOAD_N))
        return BadField("next_load_kg", f"must be {least_kg:.2g} to {most_kg:.4g} kg, or empty")
    return BadField("machine_note" if mistake.field == "note" else mistake.field, mistake.remedy)


def _number(name: str, cell: str) -> float:
    if not _NUMERAL.fullmatch(cell):
        raise BadField(name, f"is {shown(cell)}; write a number such as 72.5, without its unit")
    return float(cell.replace(",", "."))


def _written(value: float) -> str:
    """With four decimals at most: a table that comes back unchanged changes nothing."""
    return f"{value:.4f}".rstrip("0").rstrip(".")


def _iso_date(cell: str) -> str | None:
    if match := _DAY_FIRST.fullmatch(cell):
        return f"{match[3]}-{int(match[2]):02d}-{int(match[1]):02d}"
    return cell or None
