"""Writes the chosen sets to a file of the chosen format."""

from collections.abc import Callable, Iterable
from importlib.util import find_spec
from pathlib import Path

from sqlalchemy import Connection

from monitor.gym.export.csv_file import write_csv
from monitor.gym.export.fitnotes_file import write_fitnotes
from monitor.gym.export.selection import ExportedSet, ExportRefused, Selection
from monitor.gym.people.consent import consented

Write = Callable[[Path, Iterable[ExportedSet]], int]
OF_ONE_CLIENT = ("fit", "fitnotes")  # what such a file contains has no name
NEEDS = {"xlsx": ("xlsxwriter", "gym"), "fit": ("fit_tool", "fit")}  # a package, and the extra that installs it


def export_sets(connection: Connection, selection: Selection, format: str, path: Path) -> int:
    """Returns the number of sets. Weights are in the unit that `shown_in` has chosen.

    Raises ExportRefused, NoConsent, OSError; the file is then worthless.
    """
    if format in NEEDS and find_spec((needed := NEEDS[format])[0]) is None:
        raise ExportRefused(f"{format} needs more packages: pip install 'rep-monitor[{needed[1]}]'")
    if selection.client is not None:
        consented(selection.client)
    elif format in OF_ONE_CLIENT:
        raise ExportRefused(f"a {format} file is about one client: say who with --client")
    return _writer(format)(path, selection.sets(connection))


def _writer(format: str) -> Write:
    """A format whose package may be missing is imported when it is wanted."""
    match format:
        case "xlsx":
            from monitor.gym.export.xlsx_file import write_xlsx

            return write_xlsx
        case "fit":
            from monitor.gym.export.fit_file import write_fit

            return write_fit
        case "csv":
            return write_csv
    return write_fitnotes
