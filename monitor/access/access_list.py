"""Writes the accounts, access list, certificates and configuration of a mosquitto broker.

    make(folder, machines, names)     creates or updates in the folder:
        secrets/<account>             one password each: daemon-<machine>, display, coach, collector
        passwords  acl                the files in which mosquitto looks up accounts and rights
        ca.pem  ca.key                a private certificate authority; every client gets ca.pem
        server.pem  server.key        the broker's certificate
        mosquitto.conf                uses all of these: loopback, and TLS 1.2 or newer for the network

Each file in secrets/ is an account. To remove an account, delete its file and run again. A name that begins with
`display`, `coach` or `collector` has that role, so each coach can have an account.

mosquitto 2.0.11 answers a refused SUBSCRIBE as if it were granted and filters what it delivers; the tests therefore
check what arrives.
"""

import base64
import hashlib
import os
import re
import secrets
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path

from monitor.access.authority import AccessError, certificate_fits, make_authority, make_certificate
from monitor.mqtt.contract.roles import Role, may_send
from monitor.mqtt.contract.topics import ROOT, TopicTree
from monitor.state.whole_file import write_whole

ACCOUNT = re.compile(r"daemon-[a-z0-9-]{1,32}|(display|coach|collector)(-[a-z0-9-]{1,32})?")
HASH_ROUNDS = 101  # mosquitto's own; the passwords have 192 random bits
MOSQUITTO_GROUP = "mosquitto"
DAEMON_ACL = """\
topic write {tree}/status
topic write {tree}/info
topic write {tree}/live/#
topic write {tree}/state
topic write {tree}/event/#
topic write {tree}/set
topic write {tree}/session/#
topic write {tree}/ack/#
topic write {tree}/resume/#
topic write {tree}/sets/#
topic write {tree}/cmd/#
topic read {tree}/#
"""
READER_ACL = """\
topic read {every}/status
topic read {every}/info
topic read {every}/live/#
topic read {every}/state
topic read {every}/event/#
topic read {every}/set
topic read {every}/session/#
topic read {every}/ack/#
topic read {every}/resume/#
"""
ACL_HEAD = """\
# Access rights. Written by `rep-monitor access broker`: change secrets/, not this file.
# daemon:  its own machine only, and commands for the pages that it serves
# display: reads, and asks for past events
# coach:   reads, and sends commands
# collector: the gym's own program: learns who lifted, too
"""
CONFIGURATION = """\
# mosquitto for rep-monitor. Written by `rep-monitor access broker`.
#   sudo ln -sf {folder}/mosquitto.conf /etc/mosquitto/conf.d/rep-monitor.conf
#   sudo systemctl restart mosquitto
allow_anonymous false
password_file {folder}/passwords
acl_file {folder}/acl
max_packet_size 262144
max_queued_messages 10000

# This machine.
listener 1883 127.0.0.1

# The network, with TLS 1.2 or newer only.
listener 8883
certfile {folder}/server.pem
keyfile {folder}/server.key
tls_version tlsv1.2
"""


def make(folder: Path, machines: Iterable[str], names: Sequence[str], root: str = ROOT) -> list[str]:
    """Creates or updates all files. Existing passwords and the authority are kept. Returns what was made or changed.

    `root` is that of all machines.

    Raises AccessError, OSError.
    """
    folder = folder.resolve()
    folder.mkdir(parents=True, exist_ok=True, mode=0o755)
    (folder / "secrets").mkdir(exist_ok=True, mode=0o700)
    names_of_accounts = (*(f"daemon-{machine}" for machine in machines), "display", "coach", "collector")
    changes = [f"account {name}" for name in names_of_accounts if _make_secret(folder / "secrets" / name)]
    accounts = _accounts(folder)
    if not _passwords_fit(folder / "passwords", accounts):
        _write(folder / "passwords", "".join(f"{name}:{_hashed(word)}\n" for name, word in accounts.items()), 0o640)
        changes.append("passwords")
    for name, text in {"acl": acl(accounts, root), "mosquitto.conf": configuration(folder)}.items():
        path = folder / name
        if not path.exists() or path.read_text() != text:
            _write(path, text, 0o640)
            changes.append(name)
    if not (folder / "ca.key").exists():
        make_authority(folder)
        changes.append("ca.pem, a private certificate authority")
    if not certificate_fits(folder / "server.pem", folder, names):
        make_certificate(folder / "server.pem", folder, names)
        _for_mosquitto(folder / "server.key", 0o640)
        changes.append(f"server.pem for {', '.join(names)}")
    return changes


def acl(accounts: Iterable[str], root: str = ROOT) -> str:
    parts = [ACL_HEAD]
    for account in accounts:
        role, _, machine = account.partition("-")
        tree = TopicTree(machine, root)
        rules = DAEMON_ACL.format(tree=tree) if role == "daemon" else _client_acl(Role(role), TopicTree("+", root))
        parts.append(f"user {account}\n{rules}")
    return "\n".join(parts)


def _client_acl(role: Role, every: TopicTree) -> str:
    commands = "".join(f"topic write {every.topic('cmd', name)}\n" for name in may_send(role))
    answers = f"topic read {every.topic('sets', '#')}\n" if role is Role.COLLECTOR else ""
    return READER_ACL.format(every=every) + answers + commands


def configuration(folder: Path) -> str:
    return CONFIGURATION.format(folder=folder)


def _make_secret(path: Path) -> bool:
    if path.exists():
        return False
    _write(path, secrets.token_urlsafe(24) + "\n", 0o600)
    return True


def _accounts(folder: Path) -> dict[str, str]:
    accounts = {path.name: path.read_text().strip() for path in sorted((folder / "secrets").iterdir())}
    for name, password in accounts.items():
        if not ACCOUNT.fullmatch(name) or not password:
            raise AccessError(
                f"{folder / 'secrets' / name} is not an account: name the file daemon-<machine>, display-<name>,"
                " coach-<name> or collector-<name>, and write the password in it"
            )
    return accounts


def _hashed(password: str, salt: bytes | None = None) -> str:
    """mosquitto's format 7: PBKDF2 with SHA-512. Its own tool takes passwords as arguments, which all users can see."""
    salt = secrets.token_bytes(12) if salt is None else salt
    digest = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, HASH_ROUNDS, 64)
    return f"$7${HASH_ROUNDS}${base64.b64encode(salt).decode()}${base64.b64encode(digest).decode()}"


def _passwords_fit(path: Path, accounts: dict[str, str]) -> bool:
    try:
        kept = dict(line.split(":", 1) for line in path.read_text().splitlines())
    except (FileNotFoundError, ValueError):
        return False
    return kept.keys() == accounts.keys() and all(
        _hashed(password, base64.b64decode(kept[name].split("$")[3])) == kept[name]
        for name, password in accounts.items()
    )


def _write(path: Path, text: str, mode: int) -> None:
    write_whole(path, text.encode(), 0o600)
    _for_mosquitto(path, mode)


def _for_mosquitto(path: Path, mode: int) -> None:
    """Lets the broker's group read the file; without such a group only the owner may."""
    if mode & 0o070 and os.geteuid() == 0:
        try:
            shutil.chown(path, group=MOSQUITTO_GROUP)
        except LookupError:
            mode &= 0o700
    os.chmod(path, mode)
