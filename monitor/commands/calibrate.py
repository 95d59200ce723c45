"""`rep-monitor calibrate PROFILE`: measures the scale of each sensor, step by step, and changes the profile."""

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path

from monitor.exit_codes import ExitCode

HELP = "Calibrate the sensors of a machine: guides you step by step at the machine, then changes the profile."
EPILOG = """answers, a TOML file:
  weights = ["20 kg", "60 kg"]   two or more, at the cell; "45 lb" works, too
  block_mm = 250                 height of the block; or drum_mm = 157.1 and counts_per_turn = 2400
  tap = true                     somebody can knock on the stack
  write = true                   the profile may be changed
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = EPILOG
    parser.add_argument("profile", type=Path, metavar="PROFILE", help="the profile; it needs no [calibration] yet")
    parser.add_argument("--answers", type=Path, metavar="FILE", help="read the answers from a file, do not ask")
    parser.add_argument("--port", metavar="PORT", help="use this port instead of the profile's [serial] port")
    parser.add_argument("--fresh", action="store_true", help="discard an unfinished calibration and start over")


def run(args: argparse.Namespace) -> int:
    from monitor.calibrate.answers import read_answers
    from monitor.calibrate.terminal import Terminal
    from monitor.calibrate.workflow import run_calibration
    from monitor.profile.reading import load_profile
    from monitor.profile.toml_document import ConfigError
    from monitor.profile.weights import shown_in
    from monitor.record.output import check_place

    profile = load_profile(args.profile)
    port = args.port or profile.serial.port
    if port is None:
        raise ConfigError(
            f"{args.profile}: [serial] port is missing: add it or give --port; `rep-monitor ports` lists all ports"
        )
    answers = None if args.answers is None else read_answers(args.answers, profile.machine.kind)
    if answers is None and not sys.stdin.isatty():
        raise ConfigError("calibrate asks questions and needs a terminal: without one give --answers FILE")
    if answers is None or answers.write:
        try:
            check_place(args.profile)
        except OSError as error:
            raise ConfigError(
                f"{args.profile} cannot be changed ({error.strerror}): begin with sudo, "
                "or with write = false in --answers"
            ) from error
    with Terminal(interactive=answers is None) as terminal, shown_in(profile.display.units):
        run_calibration(args.profile, port, answers, terminal, _now_utc, fresh=args.fresh)
    return ExitCode.DONE


def _now_utc() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
