"""`rep-monitor export FILE --to csv|jsonl`: writes the samples and events of a recording for other tools.

`rep-monitor export --sets --to csv|xlsx|fit|fitnotes --out FILE`: writes the sets of the gym's database.
"""

import argparse
import contextlib
import sys
from importlib.util import find_spec
from pathlib import Path

from monitor.exit_codes import ExitCode, sentence

HELP = "Write a recording's samples and events, or with --sets the sets of a gym's database, for other tools."
OF_RECORDINGS, OF_SETS = ("csv", "jsonl"), ("csv", "xlsx", "fit", "fitnotes")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", nargs="?", type=Path, metavar="FILE", help="a recording (.mcap)")
    formats = tuple(dict.fromkeys((*OF_RECORDINGS, *OF_SETS)))
    which = f"the format: {' or '.join(OF_RECORDINGS)} of a recording, {', '.join(OF_SETS)} of sets"
    parser.add_argument("--to", choices=formats, required=True, help=which)
    parser.add_argument(
        "--out",
        type=Path,
        metavar="NAME",
        help="write NAME.samples.* and NAME.events.* (default: the recording's name, in this folder); "
        "with --sets: the file to write",
    )
    sets = parser.add_argument_group("sets of a gym's database")
    sets.add_argument("--sets", action="store_true", help="export sets instead of a recording")
    sets.add_argument(
        "--config",
        type=Path,
        metavar="GYM.toml",
        help="the gym's configuration (default: none, so every setting has its default)",
    )
    sets.add_argument("--from", dest="from_day", metavar="DATE", help="from this day on, such as 2026-11-29")
    sets.add_argument("--until", dest="until_day", metavar="DATE", help="until this day, which is included")
    sets.add_argument("--client", metavar="CLIENT", help="only of this client: an id or a name")
    sets.add_argument("--machine", metavar="MACHINE", help="only on this machine: its id, its label, or SITE/MACHINE")
    sets.add_argument("--weights", choices=("kg", "lb"), default="kg", help="the unit of weights (default: kg)")


def run(args: argparse.Namespace) -> int:
    if (wrong := _wrong_combination(args)) is not None:
        print(f"rep-monitor export: {wrong}", file=sys.stderr)
        return ExitCode.BAD_INPUT
    return _export_sets(args) if args.sets else _export_recording(args)


def _wrong_combination(args: argparse.Namespace) -> str | None:
    """What is wrong with the arguments together, and what to give instead."""
    if args.sets:
        if args.file is not None:
            return f"--sets exports from the gym's database: leave out {args.file}, or --sets"
        if args.to not in OF_SETS:
            return f"sets cannot be written as {args.to}: give --to {', '.join(OF_SETS)}"
        if args.out is None:
            return "say with --out which file to write"
        if find_spec("sqlalchemy") is None:
            return "--sets needs more packages: pip install 'rep-monitor[gym]'"
        return None
    if args.file is None:
        return "name a recording (.mcap), or ask for the sets of a gym with --sets"
    if args.to not in OF_RECORDINGS:
        return f"a recording cannot be written as {args.to}: give --to {' or '.join(OF_RECORDINGS)}, or --sets"
    alone = ("config", "from_day", "until_day", "client", "machine")
    if given := [f"--{name.removesuffix('_day')}" for name in alone if getattr(args, name) is not None]:
        return f"{', '.join(given)} can only choose sets: leave it out, or give --sets instead of a recording"
    return None


def _export_sets(args: argparse.Namespace) -> int:
    from monitor.gym.configuration import load_gym
    from monitor.gym.database.database import open_existing
    from monitor.gym.export.export import export_sets
    from monitor.gym.export.selection import Selection, day, machine_named
    from monitor.gym.people.finding import client_named
    from monitor.profile.weights import shown_in
    from monitor.record.output import whole
    from monitor.state.whole_file import PRIVATE_FILE

    from_day, until_day = (None if text is None else day(text) for text in (args.from_day, args.until_day))
    database = open_existing(load_gym(args.config).database_url)
    with contextlib.closing(database), database.reading() as connection, shown_in(args.weights):
        selection = Selection(
            from_day=from_day,
            until_day=until_day,
            client=None if args.client is None else client_named(connection, args.client),
            machine=None if args.machine is None else machine_named(connection, args.machine),
        )
        with whole(args.out) as part:
            part.touch(PRIVATE_FILE)  # it may contain names
            count = export_sets(connection, selection, args.to, part)
        left_out = selection.left_out(connection)
    print(f"{args.out}: {count} set{'' if count == 1 else 's'}")
    if left_out:
        print(f"rep-monitor export: left out with values that cannot be true: {left_out}", file=sys.stderr)
    return ExitCode.DONE


def _export_recording(args: argparse.Namespace) -> int:
    from monitor.record.export import export_events, export_samples, paths_of
    from monitor.record.output import whole
    from monitor.record.session_reader import SessionFileError, read_session

    session = read_session(args.file)
    if session.header is None:
        raise SessionFileError(
            f"{args.file} has lost its header, without which it cannot be decoded: nothing was written"
        )
    samples_path, events_path = paths_of(args.out or Path(args.file.stem), args.to)
    try:
        with whole(samples_path) as samples_part, whole(events_path) as events_part:
            samples = export_samples(session, session.header, args.to, samples_part)
            events = export_events(session, args.to, events_part)
    except OSError as error:
        print(f"rep-monitor export: {sentence(error)}", file=sys.stderr)
        return ExitCode.BAD_INPUT if isinstance(error, FileExistsError) else ExitCode.FAILED
    print(f"{samples_path}: {samples} rows")
    none = "" if events else "; the recording contains none: `rep-monitor replay --events` detects them"
    print(f"{events_path}: {events} events{none}")
    for damage in session.damage:
        print(f"rep-monitor export: {damage.sentence}", file=sys.stderr)
    return ExitCode.DONE_WITH_LOSS if any(damage.lossy for damage in session.damage) else ExitCode.DONE
