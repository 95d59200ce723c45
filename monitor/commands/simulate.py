"""`rep-monitor simulate --config FILE`: simulates a machine on a pseudo-terminal that `run` can open."""

import argparse
import asyncio
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from monitor.exit_codes import ExitCode

if TYPE_CHECKING:
    from monitor.profile.profile import Profile

HELP = "Simulate the machine of a profile and a lifter, on a pseudo-terminal that speaks the wire protocol."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--config", type=Path, required=True, metavar="FILE", help="the machine's profile")
    parser.add_argument("--link", type=Path, metavar="PATH", help="create a symbolic link to the port")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="a seed determines the lifter (default 1)")
    parser.add_argument(
        "--script",
        choices=("sets", "calibration", "strength"),
        default="sets",
        help="sets of a lifter (default), or a person who does what `calibrate` or `strength` asks for",
    )
    parser.add_argument(
        "--speed",
        type=_speed,
        default=1.0,
        metavar="X",
        help="a multiple of real time, or max: as fast as possible",
    )


def run(args: argparse.Namespace) -> int:
    from monitor.profile.reading import load_profile

    profile = load_profile(args.config)
    if profile.serial.format != "frames":
        problem = f'{args.config}: [serial] format is "{profile.serial.format}", but a simulation needs "frames"'
        print(f"rep-monitor simulate: {problem}; remove the line", file=sys.stderr)
        return ExitCode.BAD_INPUT
    if args.script == "calibration" and profile.machine.kind != "stack":
        problem = f'{args.config}: [machine] kind is "{profile.machine.kind}"'
        print(f'rep-monitor simulate: {problem}, but a calibration is simulated for a "stack"', file=sys.stderr)
        return ExitCode.BAD_INPUT
    if args.script == "strength" and profile.machine.kind == "static":
        problem = f'{args.config}: a machine of kind = "static" has no displacement'
        print(f"rep-monitor simulate: {problem}, so there is no strength curve to simulate", file=sys.stderr)
        return ExitCode.BAD_INPUT
    if args.link and args.link.exists() and not args.link.is_symlink():
        problem = f"{args.link} exists and is not a symbolic link"
        print(f"rep-monitor simulate: {problem}; give another --link or remove the file", file=sys.stderr)
        return ExitCode.BAD_INPUT
    return asyncio.run(_simulate(args, profile))


async def _simulate(args: argparse.Namespace, profile: "Profile") -> int:
    from monitor.demo.rehearsal import ANSWERS, rehearsal_device, strength_device
    from monitor.demo.simulated import device_of

    make = {"sets": device_of, "calibration": rehearsal_device, "strength": strength_device}[args.script]
    with make(profile, args.seed, link=args.link, speed=args.speed) as device:
        living = asyncio.create_task(device.run())
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, living.cancel)
        print(f"{profile.machine.id} (simulated) on {device.port}; Ctrl-C stops it", flush=True)
        if args.script == "strength":
            print(f"`rep-monitor strength {args.config} --port {device.port} -o strength.json`", flush=True)
        elif args.script == "calibration":
            print(f"`rep-monitor calibrate {args.config} --port {device.port}`, and answer: {ANSWERS}", flush=True)
        await asyncio.wait([living])
        if not living.cancelled():
            living.result()
    return ExitCode.DONE


def _speed(text: str) -> float:
    if text == "max":
        return 0.0
    try:
        speed = float(text)
    except ValueError:
        speed = 0.0
    if not 0.01 <= speed <= 1000:
        raise argparse.ArgumentTypeError(f'{text!r} is neither a number from 0.01 to 1000 nor "max"')
    return speed
