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

_LEAST_KG, _MOST_KG = LEAST_LOAD_N / STANDARD_GRAVITY_M_S2, MOST_LOAD_N / STANDARD_GRAVITY_M_S2
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

    def changed(name: str, value: float | None) -> bool:
        return ("" if value is None else _written(value)) != written[name]

    low_s = _number("window_low_s", cells) or WINDOW_S[0]
    high_s = _number("window_high_s", cells) or WINDOW_S[1]
    load_kg = _number("next_load_kg", cells)
    if load_kg is not None and not _LEAST_KG <= load_kg <= _MOST_KG:
        raise BadField("next_load_kg", f"must be {_LEAST_KG:.2g} to {_MOST_KG:.4g} kg, or empty")
    load_n = None if load_kg is None else load_kg * STANDARD_GRAVITY_M_S2
    given = Setting(
        site=before.site,
        machine=before.machine,
        seat=cells["seat"],
        window_low_s=low_s if changed("window_low_s", low_s) else before.window_low_s,
        window_high_s=high_s if changed("window_high_s", high_s) else before.window_high_s,
        protocol=cells["protocol"] or None,
        next_load_n=load_n if changed("next_load_kg", load_kg) else before.next_load_n,
        note=cells["machine_note"],
    )
    try:
        return checked_setting(given)
    except BadField as mistake:
        raise BadField("machine_note" if mistake.field == "note" else mistake.field, mistake.remedy) from mistake


def _number(name: str, cells: Cells) -> float | None:
    cell = cells[name]
    if not cell:
        return None
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
