"""`rep-monitor gym people export|import FILE` and `rep-monitor gym card CLIENT`: people, and one client's card."""

import argparse
import contextlib
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from monitor.exit_codes import ExitCode
from monitor.safe_output import plain

if TYPE_CHECKING:
    from monitor.gym.configuration import GymConfig
    from monitor.gym.database.database import Database
    from monitor.gym.people.people_csv import ImportReport
    from monitor.gym.workout.card import Card, CardCell, CardRow

CELL_WIDTH = 9  # characters: `100.0 (1)`
BETWEEN = 3  # a line with spaces around it


def add_people_arguments(actions: "argparse._SubParsersAction[Any]") -> None:
    people = actions.add_parser("people", help="write all people and their machine settings to a table, or read it")
    ways = people.add_subparsers(dest="way", metavar="export|import", required=True)
    export = ways.add_parser("export", help="write a CSV that spreadsheets open; it contains names")
    export.add_argument("file", type=Path, metavar="FILE", help="a new file")
    read = ways.add_parser("import", help="add and change people; nobody is removed")
    read.add_argument(
        "file", type=Path, metavar="FILE", help="a CSV with the columns that `export` writes, or some of them"
    )
    card = actions.add_parser("card", help="print a client's card: machines, visits, the next loads")
    card.add_argument("client", metavar="CLIENT", help="the client's id, or a name that only one client has")
    card.add_argument(
        "--sheet", type=int, default=0, metavar="N", help="which sheet of 16 visits; 0 (the default) is the newest"
    )
    card.add_argument("--weights", choices=("kg", "lb"), default="kg", help="the unit of weights (default: kg)")


def run_people(config: "GymConfig", args: argparse.Namespace) -> int:
    if args.action == "card":
        return _card(config, args)
    return _export(config, args.file) if args.way == "export" else _import(config, args.file)


def _export(config: "GymConfig", file: Path) -> int:
    from monitor.gym.people.people_csv import export_people
    from monitor.state.whole_file import write_whole

    if file.exists():
        print(f"rep-monitor gym: {file} exists: give the name of a new file", file=sys.stderr)
        return ExitCode.BAD_INPUT
    with _existing(config) as database, database.reading() as connection:
        write_whole(file, export_people(connection).encode())
    print(f"{file} has everybody; it contains names")
    return ExitCode.DONE


def _import(config: "GymConfig", file: Path) -> int:
    from monitor.gym.database.database import open_database
    from monitor.gym.people.errors import PeopleTableError
    from monitor.gym.people.people_csv import import_people
    from monitor.gym.people.people_table import MOST_BYTES, people_text

    with file.open("rb") as opened:
        data = opened.read(MOST_BYTES + 1)
    try:
        with contextlib.closing(open_database(config.database_url)) as database, database.writing() as connection:
            report = import_people(connection, people_text(data))
    except PeopleTableError as refused:
        for mistake in refused.mistakes:
            print(f"{file}: {mistake}", file=sys.stderr)
        print("nothing was imported", file=sys.stderr)
        return ExitCode.BAD_INPUT
    print(f"into {database.place}: ", end="")
    _print_report(report)
    return ExitCode.DONE


def _print_report(report: "ImportReport") -> None:
    print(
        f"clients: {report.added} added, {report.changed} changed; machine settings: {report.settings} added or changed"
    )
    for machine in report.unseen_machines:
        print(f"  {machine} has never been seen here: check its name, or let it come online")


def _card(config: "GymConfig", args: argparse.Namespace) -> int:
    from monitor.gym.people.finding import client_named
    from monitor.gym.workout.card import card
    from monitor.gym.workout.sound_sets import odd_sets
    from monitor.profile.weights import shown_in

    with _existing(config) as database, database.reading() as connection:
        shown = card(connection, client_named(connection, args.client).client_id, args.sheet)
        odd = odd_sets(connection)
    with shown_in(args.weights):
        _print_card(shown)
    if odd:
        print(f"sets that cannot be true and are not shown: {odd}; check the clocks of the machines")
    return ExitCode.DONE


def _print_card(card: "Card") -> None:
    from rich.console import Console
    from rich.table import Column, Table
    from rich.text import Text

    from monitor.profile.weights import unit_name

    console = Console(highlight=False)
    consent = f"consent of {card.client.consent_on}" if card.client.consent_on else "no consent, so no sets are shown"
    console.print(Text(f"{card.client.name}  {card.client.client_id}  {consent}"))
    heads = ["Machine", "Seat", "Window", f"Next {unit_name()}"]
    left = [_left_cells(row) for row in card.rows]
    widths = [max(map(len, column)) + BETWEEN for column in zip(heads, *left, strict=True)]
    fitting = max(1, (console.width - sum(widths) - 1) // (CELL_WIDTH + BETWEEN))
    table = Table(*(Column(head, no_wrap=True) for head in heads), show_lines=True)
    for began_unix_s in card.visits_began_unix_s[-fitting:]:
        table.add_column(time.strftime("%d %b\n%Y", time.localtime(began_unix_s)), min_width=CELL_WIDTH)
    for row, cells in zip(card.rows, left, strict=True):
        table.add_row(*map(Text, [*cells, *map(_cell, row.cells[-fitting:])]))
    console.print(table)
    console.print(Text(_legend(card, fitting)))
    for row in card.rows:
        console.print(Text(_suggestion(row)), soft_wrap=True)


def _left_cells(row: "CardRow") -> list[str]:
    from monitor.profile.weights import weight_number

    setting = row.setting
    load = "" if setting.next_load_n is None else weight_number(setting.next_load_n)
    return [plain(row.label), setting.seat, f"{setting.window_low_s:g}-{setting.window_high_s:g} s", load]


def _cell(cell: "CardCell | None") -> str:
    from monitor.profile.weights import weight_number

    if cell is None:
        return ""
    load = "?" if cell.load_n is None else weight_number(cell.load_n)
    return f"{load} ({cell.order})\n{cell.under_load_s:.0f} s{' F' if cell.failure else ''}"


def _legend(card: "Card", shown: int) -> str:
    left_out = len(card.visits_began_unix_s) - shown
    wider = f"; a wider terminal shows {left_out} more visits" if left_out > 0 else ""
    sheets = f"sheet {card.sheet}, the last is {card.sheets - 1}; " if card.sheets > 1 else ""
    return f"{sheets}load (order), time under load, F: failure{wider}"


def _suggestion(row: "CardRow") -> str:
    from monitor.profile.weights import weight

    load_n = row.suggestion.load_n
    load = "" if load_n is None else f"{weight(load_n)}, {row.suggestion.change}. "
    return f"{plain(row.label)}: {load}{row.suggestion.reason}"


def _existing(config: "GymConfig") -> "contextlib.closing[Database]":
    from monitor.gym.database.database import open_existing

    return contextlib.closing(open_existing(config.database_url))
