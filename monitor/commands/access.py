"""`rep-monitor access page|broker`: prints the page's links, or writes the accounts of a broker."""

import argparse
import socket
from pathlib import Path

from monitor.exit_codes import ExitCode

HELP = "Give access: the page's links with their tokens, or the accounts of a broker."
PROFILE = """
{machine}: copy {folder}/secrets/daemon-{machine} and {folder}/ca.pem
to the folder `secrets` beside its profile, and add to the profile
  [mqtt]
  host = "{host}"
  tls = true
  ca_file = "secrets/ca.pem"
  username = "daemon-{machine}"
  password_file = "secrets/daemon-{machine}"
"""
DEFAULT_FOLDER = Path("/etc/rep-monitor/broker")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    page = actions.add_parser("page", help="print the links that open the page for a display and for a coach")
    page.add_argument("--config", type=Path, required=True, metavar="FILE", help="the machine's profile")
    broker = actions.add_parser("broker", help="write accounts, access list and certificates for mosquitto")
    broker.add_argument("profiles", type=Path, nargs="+", metavar="PROFILE", help="the profile of each machine")
    broker.add_argument(
        "--to", type=Path, default=DEFAULT_FOLDER, metavar="FOLDER", help=f"folder to write to ({DEFAULT_FOLDER})"
    )
    broker.add_argument(
        "--name", action="append", metavar="NAME", help="a host name or address of the broker (default: this computer)"
    )


def run(args: argparse.Namespace) -> int:
    return _page(args.config) if args.action == "page" else _broker(args.profiles, args.to, args.name)


def _page(config: Path) -> int:
    from monitor.display.address import addresses
    from monitor.profile.reading import load_profile
    from monitor.state.folders import state_directory

    profile = load_profile(config)
    for role, address in addresses(profile, state_directory(profile.machine.id)).items():
        print(f"{role:<8} {address}")
    return ExitCode.DONE


def _broker(profiles: list[Path], folder: Path, names: list[str] | None) -> int:
    from monitor.access.access_list import make
    from monitor.profile.reading import load_profile

    machines = [load_profile(path).machine.id for path in profiles]
    host = socket.gethostname().lower()
    every = [*(names or [host, f"{host}.local"]), "localhost", "127.0.0.1"]
    for line in make(folder, machines, list(dict.fromkeys(every))) or ["nothing to change"]:
        print(line)
    print(f"\nThe broker:  sudo ln -sf {folder}/mosquitto.conf /etc/mosquitto/conf.d/rep-monitor.conf")
    for machine in machines:
        print(PROFILE.format(folder=folder, machine=machine, host=every[0]), end="")
    return ExitCode.DONE
