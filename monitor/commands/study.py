"""`rep-monitor study FOLDER... --out DATASET`: replays many recordings into tables, and compares two detectors."""

import argparse
import os
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from monitor.exit_codes import ExitCode

if TYPE_CHECKING:
    from monitor.study.comparing import Comparison

HELP = "Replay many recordings into Parquet tables, on all cores; or compare the tables of two versions."
MOST_SENTENCES = 20


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folders", nargs="*", type=Path, metavar="FOLDER", help="folders with recordings (.mcap)")
    parser.add_argument(
        "--out", type=Path, metavar="DATASET", help="the folder for the tables; tables that are already there are kept"
    )
    cores = len(os.sched_getaffinity(0))
    parser.add_argument("--workers", type=int, default=cores, metavar="N", help=f"processes (default {cores})")
    parser.add_argument("--scheduler", metavar="ADDRESS", help="use the workers of this Dask scheduler (tcp://...)")
    compare = "show what the second dataset says differently about the same recordings"
    parser.add_argument("--compare", nargs=2, type=Path, metavar=("OLD", "NEW"), help=compare)


def run(args: argparse.Namespace) -> int:
    if find_spec("pyarrow") is None:
        return _refuse("this needs pyarrow: pip install 'rep-monitor[study]'")
    if args.compare:
        if args.folders or args.out:
            return _refuse("--compare takes two datasets and nothing else")
        from monitor.study.comparing import compare

        _print_comparison(compare(*args.compare))
        return ExitCode.DONE
    if not args.folders or args.out is None:
        return _refuse("name at least one FOLDER, and --out DATASET; or --compare OLD NEW")
    if args.workers < 1:
        return _refuse("--workers must be at least 1")
    return _study(args)


def _refuse(why: str) -> int:
    print(f"rep-monitor study: {why}", file=sys.stderr)
    return ExitCode.BAD_INPUT


def _study(args: argparse.Namespace) -> int:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

    from monitor.study.columns import SCHEMAS
    from monitor.study.dataset import read
    from monitor.study.study import make_study

    console = Console(stderr=True)
    columns = ("recordings", BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not sys.stderr.isatty(), transient=True) as bar:
        task = bar.add_task("study", total=None)

        def show(finished: int, of: int) -> None:
            bar.update(task, completed=finished, total=of)

        found, fresh = make_study(args.folders, args.out, workers=args.workers, scheduler=args.scheduler, progress=show)
    recordings = read(args.out, "recordings").to_pylist()
    print(f"{args.out}: " + ", ".join(_count(read(args.out, name).num_rows, name) for name in SCHEMAS))
    print(f"{found} found, {fresh} of them new")
    troubled = [_named(row["path"], row["trouble"]) for row in recordings if row["trouble"]]
    damaged = [f"{row['path']}: records are missing, in {row['losses']} places" for row in recordings if row["losses"]]
    lines = [*troubled, *damaged]
    for line in lines[:MOST_SENTENCES]:
        print(f"rep-monitor study: {line}", file=sys.stderr)
    if len(lines) > MOST_SENTENCES:
        print(f"rep-monitor study: and {len(lines) - MOST_SENTENCES} more (table recordings)", file=sys.stderr)
    return ExitCode.DONE_WITH_LOSS if lines else ExitCode.DONE


def _count(number: int, name: str) -> str:
    return f"{number} {name.removesuffix('s') if number == 1 else name}"


def _named(path: str, trouble: str) -> str:
    """Most sentences name the file themselves."""
    return trouble if path in trouble else f"{path}: {trouble}"


def _print_comparison(found: "Comparison") -> None:
    from rich.console import Console
    from rich.table import Table

    from monitor.commands.replay import PLAIN_WIDTH

    table = Table(box=None, header_style="bold")
    for title in ("kind", "same", "changed", "only old", "only new"):
        table.add_column(title, justify="left" if title == "kind" else "right")
    for name, kind in found.kinds.items():
        table.add_row(name, *(str(n) for n in (kind.same, kind.changed, kind.only_old, kind.only_new)))
    console = Console(highlight=False, width=None if sys.stdout.isatty() else PLAIN_WIDTH)
    console.print(table)
    print(f"{found.recordings} recordings in both; {len(found.differing)} differ")
    if found.skill_changes:
        most = max(found.skill_changes, key=abs)
        print(f"skill: {len(found.skill_changes)} sets in both, largest change {most:+.1%}")
    for path in found.differing[:MOST_SENTENCES]:
        print(f"  {path}")
    if len(found.differing) > MOST_SENTENCES:
        print(f"  and {len(found.differing) - MOST_SENTENCES} more")
