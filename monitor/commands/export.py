"""`rep-monitor export FILE --to csv|jsonl`: writes the samples and events of a recording for other tools."""

import argparse
import sys
from pathlib import Path

from monitor.exit_codes import ExitCode, sentence

HELP = "Write the samples and the events of a recording as CSV or JSON Lines."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, metavar="FILE", help="a recording (.mcap)")
    parser.add_argument("--to", choices=("csv", "jsonl"), required=True, help="the format")
    parser.add_argument(
        "--out",
        type=Path,
        metavar="NAME",
        help="write NAME.samples.* and NAME.events.* (default: the recording's name, in this folder)",
    )


def run(args: argparse.Namespace) -> int:
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
    print(f"{events_path}: {events} events")
    for damage in session.damage:
        print(f"rep-monitor export: {damage.sentence}", file=sys.stderr)
    return ExitCode.DONE_WITH_LOSS if any(damage.lossy for damage in session.damage) else ExitCode.DONE
