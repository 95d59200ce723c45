"""`rep-monitor recover FILE`: writes a clean copy of a damaged recording, and reports the losses."""

import argparse
import sys
from collections import deque
from pathlib import Path

from monitor.exit_codes import ExitCode, sentence

HELP = "Write a clean copy of a damaged recording, with all intact records, and report the losses."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, metavar="FILE", help="a recording (.mcap)")
    parser.add_argument("--out", type=Path, metavar="COPY", help="the copy (default: FILE's name with .recovered.mcap)")


def run(args: argparse.Namespace) -> int:
    from monitor.record.recover import recover
    from monitor.record.session_reader import SessionFileError, read_session

    session = read_session(args.file)
    any_record = deque(session, maxlen=1)
    if not session.damage:
        print(f"{args.file} is intact: there is nothing to recover")
        return ExitCode.DONE
    if session.header is None and not any_record:
        raise SessionFileError(f"{args.file} contains no intact record: there is nothing to recover")
    path = args.out or args.file.with_suffix(".recovered.mcap")
    try:
        count = recover(session, path)
    except OSError as error:
        print(f"rep-monitor recover: {sentence(error)}", file=sys.stderr)
        return ExitCode.BAD_INPUT if isinstance(error, FileExistsError) else ExitCode.FAILED
    print(f"{path}: {count} records")
    if session.header is None:
        print(f"rep-monitor recover: {args.file} has lost its header: replay the copy with --config", file=sys.stderr)
    for damage in session.damage:
        print(f"rep-monitor recover: {damage.sentence}", file=sys.stderr)
    return ExitCode.DONE_WITH_LOSS if any(damage.lossy for damage in session.damage) else ExitCode.DONE
