"""`rep-monitor replay FILE`: detects again what happened in a recording or a table of samples."""

import argparse
import asyncio
import sys
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack, aclosing, contextmanager, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Self

from monitor.arguments import add_table_arguments, add_weights_argument, tcp_port
from monitor.exit_codes import ExitCode

if TYPE_CHECKING:
    from monitor.analysis.analysis import Analysis
    from monitor.events import AnyEvent
    from monitor.playback.playback import Playback
    from monitor.record.replay import Speed

HELP = "Replay a recording or a table of samples (CSV: t_s,displacement_m,force_n): detect again what happened in it."
SPEEDS: dict[str, "Speed"] = {"1": 1, "10": 10, "max": "max"}
PATIENCE_S = 1.0  # a longer replay shows its progress
PLAIN_WIDTH = 120  # of the tables if the output is not a terminal


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, metavar="FILE", help="a recording (.mcap) or a table (.csv)")
    profile = "the machine's profile (default: the one in the recording, or machine.toml beside a table)"
    parser.add_argument("--config", type=Path, metavar="PROFILE", help=profile)
    add_table_arguments(parser)
    add_weights_argument(parser)
    parser.add_argument("--speed", choices=SPEEDS, help="multiple of real time (default: max; with --publish: 1)")
    parser.add_argument(
        "--publish", action="store_true", help="publish it over MQTT, under rep/<machine>/replay/<session>/"
    )
    shown = (
        "play it on the lifter's and the trainer's page in a browser, with pause, seek and speed; on this computer only"
    )
    parser.add_argument("--page", action="store_true", help=shown)
    parser.add_argument("--port", type=tcp_port, default=8080, metavar="N", help="with --page: its port (default 8080)")
    parser.add_argument("--events", type=Path, metavar="OUT.jsonl", help="write every event record as JSON Lines")


def run(args: argparse.Namespace) -> int:
    from monitor.playback.loads import load_remarks
    from monitor.playback.playback import analysis_of, open_playback
    from monitor.profile.derived import short_range_sentence, varying_load_sentence
    from monitor.profile.weights import shown_in
    from monitor.record.table.reading import reading_of

    playback = open_playback(args.file, args.config, reading_of(args.columns, args.units))
    if args.page:
        return _on_page(args, playback)
    analysis = analysis_of(playback, feedback=args.publish)
    with shown_in(args.weights or playback.profile.display.units):
        records = asyncio.run(_replay(args, playback, analysis))
        if not args.publish:
            _print_report(playback, records, analysis.newest_s)
        limits = analysis.spine.limits
        learned = [short_range_sentence(limits), varying_load_sentence(limits)]
        remarks = [*playback.remarks, *load_remarks(playback, records), *filter(None, learned)]
    for sentence in (*remarks, *playback.losses):
        print(f"rep-monitor replay: {sentence}", file=sys.stderr)
    return ExitCode.DONE_WITH_LOSS if playback.losses else ExitCode.DONE


def _on_page(args: argparse.Namespace, playback: "Playback") -> int:
    """Plays until Ctrl-C."""
    from monitor.playback.playback import PlaybackError
    from monitor.projection.cinema import cinema

    if args.publish or args.events or args.speed:
        raise PlaybackError("--page excludes --publish, --events and --speed: choose the speed on the page")

    async def play() -> None:
        async with cinema(playback, args.port) as shown:
            print(f"{playback.path.name}: {shown.url} and {shown.url}trainer.html  (Ctrl-C ends)", flush=True)
            await shown.projector.run()

    with suppress(KeyboardInterrupt):  # the usual end
        asyncio.run(play())
    for sentence in (*playback.remarks, *playback.losses):
        print(f"rep-monitor replay: {sentence}", file=sys.stderr)
    return ExitCode.DONE_WITH_LOSS if playback.losses else ExitCode.DONE


async def _replay(args: argparse.Namespace, playback: "Playback", analysis: "Analysis") -> "list[AnyEvent]":
    """All event records; they are also written, published or printed as they come."""
    from monitor.events import encode
    from monitor.playback.playback import updates
    from monitor.report.terminal import event_line
    from monitor.report.words import count

    speed = SPEEDS[args.speed or ("1" if args.publish else "max")]
    records: list[AnyEvent] = []
    async with AsyncExitStack() as stack:
        out = stack.enter_context(_writing(args.events, args.file)) if args.events else None
        publisher = None
        if args.publish:
            from monitor.playback.rebroadcast import rebroadcast

            publisher = await stack.enter_async_context(rebroadcast(playback.profile, playback.session))
            print(f"publishing {playback.session} under {publisher.tree}/ at {publisher.address}", flush=True)
        progress = stack.enter_context(ReplayProgress(args.file.name))
        parts = await stack.enter_async_context(aclosing(updates(playback, analysis, speed)))
        async for update in parts:
            records += update.events
            if out is not None:
                out.writelines(encode(event) + b"\n" for event in update.events)
            if publisher is not None:
                await publisher.publish(update)
            elif speed != "max":
                for event in update.events:
                    print(event_line(event), flush=True)
            progress.show(playback.done)
    if publisher is not None:
        print(f"{count(len(records), 'event record')} published")
    return records


@contextmanager
def _writing(path: Path, source: Path) -> Iterator[IO[bytes]]:
    from monitor.playback.playback import PlaybackError
    from monitor.record.output import replacing

    if path.exists() and path.samefile(source):
        raise PlaybackError(f"{path} is the input file: give --events another name")
    with replacing(path) as file:
        yield file


class ReplayProgress:
    """A progress bar, which appears after a second; none if stderr is not a terminal."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._began_s = time.monotonic()
        self._bar: Any = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.stop()

    def show(self, done: float) -> None:
        if self._bar is None and sys.stderr.isatty() and time.monotonic() - self._began_s > PATIENCE_S:
            from rich.console import Console
            from rich.progress import Progress

            self._bar = Progress(console=Console(stderr=True), transient=True)
            self._task = self._bar.add_task(self._name, total=1.0)
            self._bar.start()
        if self._bar is not None:
            self._bar.update(self._task, completed=done)


def _print_report(playback: "Playback", records: "list[AnyEvent]", length_s: float) -> None:
    from rich.console import Console
    from rich.text import Text

    from monitor.report.terminal import session_report

    console = Console(highlight=False, width=None if sys.stdout.isatty() else PLAIN_WIDTH)
    console.print(Text.assemble((playback.profile.machine.id, "bold"), "  ", *_title(playback, length_s)))
    console.print()
    for part in session_report(playback.profile, records):
        console.print(part)


def _title(playback: "Playback", length_s: float) -> list[str]:
    from monitor.playback.playback import TablePlayback
    from monitor.report.local_time import local_time

    protocol, kind = playback.profile.protocol, playback.profile.machine.kind
    tempo = f", {protocol.positive_s:g} s up, {protocol.negative_s:g} s down" if kind != "static" else ""
    lines = [f"{kind}{tempo}; session {playback.session}; {length_s:.1f} s of samples"]
    if playback.began_utc:
        lines.append(f", recorded {local_time(playback.began_utc) or playback.began_utc}")
    if isinstance(playback, TablePlayback) and playback.first_row_s:
        lines.append(f"; 0 s here is {playback.first_row_s:g} s in the table")
    return lines
