"""`rep-monitor report FILE`: a session as a page to read, or in short on the terminal."""

import argparse
import asyncio
import sys
from collections.abc import Sequence
from contextlib import aclosing
from pathlib import Path

from monitor.commands.replay import PLAIN_WIDTH, Progress
from monitor.config import load_profile
from monitor.exit_codes import ExitCode
from monitor.newest import newest_recording
from monitor.playback import Playback, PlaybackError, open_playback, pipeline_of
from monitor.record.output import replacing
from monitor.report.gathering import Gathered, Gathering
from monitor.report.session_story import SessionStory, tell

HELP = "A session as one page that needs nothing else (HTML); without -o in short, on the terminal."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    what = "a recording (.mcap) or a table (.csv); with --last the machine's id, if there are several"
    parser.add_argument("file", nargs="?", metavar="FILE", help=what)
    parser.add_argument("-o", "--out", type=Path, metavar="OUT.html", help="write the page there")
    parser.add_argument("--last", action="store_true", help="the newest recording in the state directory")
    profile = "the machine's profile: replaces the one in a recording; for a table the default is machine.toml beside"
    parser.add_argument("--config", type=Path, metavar="C", help=profile + " it; with --last it says which machine")


def run(args: argparse.Namespace) -> int:
    playback = _playback(args)
    if args.out is not None and args.out.exists() and args.out.samefile(playback.path):
        raise PlaybackError(f"{args.out} is what is being read: give --out another name")
    gathered = asyncio.run(_gather(playback))
    story = tell(gathered.records)
    if args.out is None:
        _print(gathered, story)
    else:
        _write(args.out, gathered, story, playback)
        print(args.out)
    for sentence in (*playback.remarks, *playback.losses):
        print(f"rep-monitor report: {sentence}", file=sys.stderr)
    return ExitCode.DONE_WITH_LOSS if playback.losses else ExitCode.DONE


def _playback(args: argparse.Namespace) -> Playback:
    if args.last:
        profile = load_profile(args.config) if args.config else None
        return open_playback(newest_recording(args.file, profile), None)
    if args.file is None:
        raise PlaybackError("name a recording or a table, or ask for the newest recording with --last")
    return open_playback(Path(args.file), args.config)


async def _gather(playback: Playback) -> Gathered:
    gathering = Gathering(playback.profile, pipeline_of(playback, feedback=True))
    with Progress(playback.path.name) as progress:
        async with aclosing(playback.samples("max")) as batches:
            async for samples in batches:
                gathering.add(samples)
                progress.show(playback.done)
    return gathering.finish()


def _print(gathered: Gathered, story: SessionStory) -> None:
    from rich.console import Console

    from monitor.report.one_screen import one_screen

    console = Console(highlight=False, width=None if sys.stdout.isatty() else PLAIN_WIDTH)
    for part in one_screen(gathered, story):
        console.print(part)


def _write(path: Path, gathered: Gathered, story: SessionStory, playback: Playback) -> None:
    from monitor.report.report_page import report_page

    losses = _nameless(playback.losses, playback.path)
    page = report_page(gathered, story, began_utc=playback.began_utc, losses=losses)
    with replacing(path) as file:
        file.write(page.encode())


def _nameless(sentences: Sequence[str], path: Path) -> list[str]:
    """Without the file's name: a page that is handed on tells nobody whose folder it came from."""
    bare = [sentence.replace(str(path), "").lstrip(",: ") for sentence in sentences]
    return [sentence[:1].upper() + sentence[1:] for sentence in bare]
