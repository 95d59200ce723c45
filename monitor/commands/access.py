"""`rep-monitor access page|tls|broker`: lets a screen in, makes the page's certificate, or a broker's accounts."""

import argparse
import os
import socket
import sys
from pathlib import Path
from urllib.parse import urlsplit

from monitor.exit_codes import ExitCode

HELP = "Give access: a code for the page, its certificate, or the accounts of a broker."
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
    page = actions.add_parser("page", help="let a new screen in: a QR code, and the same code to type")
    page.add_argument("--config", type=Path, required=True, metavar="FILE", help="the machine's profile")
    page.add_argument(
        "--coach", action="store_true", help="for a coach, who may also choose the next set and end a session"
    )
    page.add_argument("--links", action="store_true", help="print permanent links instead; they contain secrets")
    tls = actions.add_parser("tls", help="make the certificate of the page, for TLS")
    tls.add_argument("profile", type=Path, metavar="FILE", help="a machine's profile, or the gym's configuration")
    tls.add_argument(
        "--authority",
        type=Path,
        default=DEFAULT_FOLDER,
        metavar="FOLDER",
        help=f"folder of the authority's key, ca.key (default: {DEFAULT_FOLDER})",
    )
    tls.add_argument(
        "--name", action="append", metavar="NAME", default=[], help="another name or address of this computer"
    )
    broker = actions.add_parser("broker", help="write accounts, access list and certificates for mosquitto")
    broker.add_argument("profiles", type=Path, nargs="+", metavar="PROFILE", help="the profile of each machine")
    broker.add_argument(
        "--to",
        type=Path,
        default=DEFAULT_FOLDER,
        metavar="FOLDER",
        help=f"folder to write to (default: {DEFAULT_FOLDER})",
    )
    broker.add_argument(
        "--name", action="append", metavar="NAME", help="a host name or address of the broker (default: this computer)"
    )


def run(args: argparse.Namespace) -> int:
    if args.action == "page":
        return _page(args.config, coach=args.coach, links=args.links)
    if args.action == "tls":
        return _tls(args.profile, args.authority, args.name)
    return _broker(args.profiles, args.to, args.name)


def _page(config: Path, *, coach: bool, links: bool) -> int:
    """Where the daemon does not run, only the permanent links can be given."""
    from monitor.display.address import addresses, is_open
    from monitor.display.ask_code import ask_code
    from monitor.display.token import kept_tokens
    from monitor.mqtt.contract.roles import Role
    from monitor.profile.reading import load_profile
    from monitor.profile.toml_document import ConfigError
    from monitor.state.folders import state_directory
    from monitor.state.running import daemon_of

    profile = load_profile(config)
    directory = state_directory(profile.machine.id)
    if is_open(profile.display.bind) and not os.access(directory, os.W_OK | os.X_OK):
        raise ConfigError(f'{directory} is private: use sudo, or "Add a screen" on a trainer\'s view')
    _, up = daemon_of(directory)
    url = None if up is None else up.page_url
    link = None if up is None else up.secure_url or up.page_url
    if is_open(profile.display.bind) and not links:
        role = Role.COACH if coach else Role.DISPLAY
        token = kept_tokens(directory)[Role.COACH]
        if url is not None and (invitation := ask_code(url, profile.display.bind, token, role)):
            more = "--coach: for a coach. --links: permanent links."
            print_code(invitation.link, invitation.code, invitation.role, more)
            return ExitCode.DONE
        print("The daemon does not answer, so there is no code. Permanent links, which are secrets:", file=sys.stderr)
    for role, address in addresses(profile, directory, link).items():
        print(f"{role:<8} {address}")
    return ExitCode.DONE


def print_code(link: str, code: str, role: str, more: str) -> None:
    """A QR code, and how to get in without it. `link` has the code behind its `#`."""
    from rich.console import Console

    from monitor.access.page_certificate import own_addresses
    from monitor.display.pairing import VALID_S
    from monitor.display.qr_code import blocks

    page = urlsplit(link)
    console = Console(highlight=False, soft_wrap=True)
    console.print(f"Scan this with the new screen (role: {role}):\n", markup=False)
    for line in blocks(link):
        console.print(line, style="black on white")
    console.print(f"\nOr open {page.scheme}://{page.netloc} there and type:  {code[:3]} {code[3:]}", markup=False)
    ips = own_addresses()
    if page.hostname not in ips and (
        elsewhere := [f"{page.scheme}://{ip}:{page.port}" for ip in ips if not ip.startswith("127.")]
    ):
        console.print(f"Where the network does not know that name: {' or '.join(elsewhere)}", markup=False)
    console.print(f"For one screen, within {round(VALID_S / 60)} minutes. {more}", markup=False)


def _tls(config: Path, authority: Path, names: list[str]) -> int:
    from monitor.access.page_certificate import fingerprint, make_page_certificate, own_addresses

    given = _certificate_folder(config)
    folder = config.resolve().parent / "secrets" if given is None else Path(given)
    every = [*names, *_own_names(), *own_addresses(), "localhost", "127.0.0.1"]
    changes = make_page_certificate(folder, authority, list(dict.fromkeys(every)))
    for line in changes or ["nothing to change"]:
        print(line)
    print(
        f"\nThe authority's fingerprint, SHA-256, to compare on a new screen:\n  {fingerprint(folder / 'page-ca.pem')}"
    )
    if given is None:
        print(f'\nAdd to {config}:\n  [display]\n  tls = "{folder.name}"')
    if changes:
        print("\nThen restart the daemon, or the gym: it reads the certificate at its start.")
    return ExitCode.DONE


def _certificate_folder(config: Path) -> str | None:
    """`[display] tls` of a machine's profile, or of a gym's configuration."""
    from monitor.gym.configuration import is_gym, load_gym
    from monitor.profile.reading import load_profile
    from monitor.profile.toml_document import Document

    of_gym = is_gym(Document.read(config))
    return load_gym(config).display.tls if of_gym else load_profile(config).display.tls


def _own_names() -> list[str]:
    host = socket.gethostname().lower()
    return [host, f"{host.partition('.')[0]}.local"]


def _broker(profiles: list[Path], folder: Path, names: list[str] | None) -> int:
    from monitor.access.access_list import make
    from monitor.profile.reading import load_profile
    from monitor.profile.toml_document import ConfigError

    trees = [load_profile(path).topic_tree for path in profiles]
    machines = [tree.machine for tree in trees]
    if len(roots := sorted({tree.root for tree in trees})) > 1:
        raise ConfigError(f"[mqtt] root differs ({', '.join(roots)}): give the profiles of one root at a time")
    every = [*(names or _own_names()), "localhost", "127.0.0.1"]
    for line in make(folder, machines, list(dict.fromkeys(every)), roots[0]) or ["nothing to change"]:
        print(line)
    print(f"\nThe broker:  sudo ln -sf {folder}/mosquitto.conf /etc/mosquitto/conf.d/rep-monitor.conf")
    for machine in machines:
        print(PROFILE.format(folder=folder, machine=machine, host=every[0]), end="")
    return ExitCode.DONE
