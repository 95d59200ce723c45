"""`rep-monitor report FILE`: writes a session as a page, or prints a summary on the terminal."""

import argparse
import sys
from pathlib import Path
from typing import Any

from monitor.arguments import add_table_arguments, add_weights_argument
from monitor.commands.replay import PLAIN_WIDTH, ReplayProgress
from monitor.exit_codes import ExitCode

HELP = "Write a session as one self-contained page (HTML). Without -o, print a summary on the terminal."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    what = "a recording (.mcap) or a table (.csv); with --last: the machine's id, if there are several"
    parser.add_argument("file", nargs="?", metavar="FILE", help=what)
    parser.add_argument("-o", "--out", type=Path, metavar="OUT.html", help="write the page to this file")
    parser.add_argument("--last", action="store_true", help="the newest recording in the state directory")
    profile = "the machine's profile (default: the one in the recording, or machine.toml beside a table)"
    parser.add_argument("--config", type=Path, metavar="C", help=profile + "; with --last it names the machine")
    strength = "draw this lifter's strength beside the machine's resistance (`rep-monitor strength` writes it)"
    parser.add_argument("--strength", type=Path, metavar="S.json", help=strength)
    add_table_arguments(parser)
    add_weights_argument(parser)


def run(args: argparse.Namespace) -> int:
    from monitor.playback.loads import load_remarks
    from monitor.playback.playback import PlaybackError
    from monitor.playback.reporting import gather, opened, write_page
    from monitor.profile.strength import read_strength
    from monitor.profile.weights import shown_in
    from monitor.record.table.reading import reading_of

    strength = None if args.strength is None else read_strength(args.strength)
    playback = opened(args.file, args.config, reading_of(args.columns, args.units), last=args.last)
    if args.out is not None and args.out.exists() and args.out.samefile(playback.path):
        raise PlaybackError(f"{args.out} is the input file: give --out another name")
    with ReplayProgress(playback.path.name) as progress:
        gathered = gather(playback, progress.show)
    with shown_in(args.weights or playback.profile.display.units):
        if args.out is None:
            _print(gathered)
        else:
            write_page(args.out, gathered, playback, strength)
            print(args.out)
        for sentence in (*playback.remarks, *load_remarks(playback, gathered.records), *playback.losses):
            print(f"rep-monitor report: {sentence}", file=sys.stderr)
    return ExitCode.DONE_WITH_LOSS if playback.losses else ExitCode.DONE


def _print(gathered: Any) -> None:
    from rich.console import Console

    from monitor.report.one_screen import one_screen
    from monitor.report.session_story import story_of

    console = Console(highlight=False, width=None if sys.stdout.isatty() else PLAIN_WIDTH)
    for part in one_screen(gathered, story_of(gathered.records)):
        console.print(part)
