"""`rep-monitor strength PROFILE -o OUT.json`: an isometric test at some places gives the lifter's strength curve."""

import argparse
import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

from monitor.exit_codes import ExitCode

if TYPE_CHECKING:
    from monitor.profile.profile import Profile
    from monitor.profile.strength import Effort

HELP = """Test a lifter's strength at three places or more of a machine that is locked there, and write the strength
curve. `rep-monitor report FILE --strength OUT.json` draws it beside the machine's resistance."""
MOST_PLACES = 64  # of a recorded test


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("profile", type=Path, metavar="PROFILE", help="the machine's profile")
    parser.add_argument("-o", "--out", type=Path, required=True, metavar="OUT.json", help="write the curve here")
    parser.add_argument(
        "--places", type=_places, default=3, metavar="N", help="how many places to measure at (default: 3)"
    )
    parser.add_argument("--port", metavar="PORT", help="use this port instead of the profile's [serial] port")
    recorded = "find the efforts in a recording or a table instead of a live machine"
    parser.add_argument("--recorded", type=Path, metavar="FILE", help=recorded)


def _places(text: str) -> int:
    from monitor.profile.strength import LEAST_EFFORTS

    if not text.isdigit() or not LEAST_EFFORTS <= int(text) <= 12:
        raise argparse.ArgumentTypeError(f"{text} is not a number from {LEAST_EFFORTS} to 12")
    return int(text)


def run(args: argparse.Namespace) -> int:
    from monitor.profile.reading import load_profile
    from monitor.profile.strength import LEAST_EFFORTS, strength_test, write_strength
    from monitor.profile.toml_document import ConfigError
    from monitor.profile.weights import shown_in
    from monitor.record.output import check_place

    profile = load_profile(args.profile)
    if profile.machine.kind == "static":
        raise ConfigError(f'{args.profile}: a machine of kind = "static" has no displacement, so it has no curve')
    check_place(args.out)  # a lifter does not push all they have twice
    with shown_in(profile.display.units):
        efforts = _recorded(args.recorded, args.profile) if args.recorded else _live(args, profile)
    if len(efforts) < LEAST_EFFORTS:
        raise ConfigError(
            f"{args.recorded or args.profile}: places with an effort: {len(efforts)}; {LEAST_EFFORTS} are needed; "
            "hold each for two seconds or longer, with the machine locked"
        )
    write_strength(args.out, strength_test(profile.machine.id, efforts))
    print(args.out)
    return ExitCode.DONE


def _live(args: argparse.Namespace, profile: "Profile") -> "list[Effort]":
    import msgspec

    from firmware_bridge.formats.calibration import Calibration
    from firmware_bridge.formats.decoder import Decoder
    from monitor.calibrate.listening_port import ListeningPort
    from monitor.profile.limits import limits_of
    from monitor.profile.toml_document import ConfigError
    from monitor.strength.guided import StrengthCourse, follow

    port = args.port or profile.serial.port
    if port is None:
        raise ConfigError(
            f"{args.profile}: [serial] port is missing: add it or give --port; `rep-monitor ports` lists all ports"
        )
    if profile.calibration is None:
        raise ConfigError(f"{args.profile}: [calibration] is missing; run `rep-monitor calibrate {args.profile}`")
    decoder = Decoder(Calibration(**msgspec.to_builtins(profile.calibration)), profile.serial.format)
    course = StrengthCourse(limits_of(profile), args.places, _say)
    asyncio.run(ListeningPort(profile, port).run(lambda source: follow(source, decoder, course)))
    return course.efforts


def _recorded(path: Path, config: Path) -> "list[Effort]":
    from monitor.playback.playback import analysis_of, open_playback, updates
    from monitor.strength.guided import StrengthCourse

    playback = open_playback(path, config)

    async def whole() -> "list[Effort]":
        analysis = analysis_of(playback, feedback=False, on_samples=lambda samples: course.add(samples))
        course = StrengthCourse(analysis.spine.limits, MOST_PLACES, _say)
        async for _ in updates(playback, analysis, "max"):
            pass
        return course.efforts

    return asyncio.run(whole())


def _say(sentence: str) -> None:
    print(sentence, flush=True)
