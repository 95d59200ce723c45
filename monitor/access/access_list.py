"""Who may do what at a broker of one's own: accounts, access list and a private authority, for mosquitto.

    make(folder, machines, names)     in the folder, made anew or brought up to date:
        secrets/<account>             a password each: daemon-<machine>, display, coach
        passwords  acl                what mosquitto compares with
        ca.pem  ca.key                the authority that every client trusts (ca.pem is for them)
        server.pem  server.key        the broker's own certificate
        mosquitto.conf                ties them together: loopback, and TLS 1.2 or newer for the network

Who has a file in secrets/ has an account: remove one and make again, and that account is gone. A name that begins with
`display` or `coach` has that role, so each coach can have an account of their own.

mosquitto answers a refused SUBSCRIBE as if it were granted and filters what it delivers (2.0.11); the tests
therefore look at what arrives.
"""

import base64
import hashlib
import os
import re
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Sequence
from ipaddress import ip_address
from pathlib import Path

from monitor.state.whole_file import write_whole

ACCOUNT = re.compile(r"daemon-[a-z0-9-]{1,32}|(display|coach)(-[a-z0-9-]{1,32})?")
CA_DAYS, SERVER_DAYS, RENEW_BEFORE_DAYS = 3650, 820, 90
HASH_ROUNDS = 101  # mosquitto's own; the passwords have 192 random bits
MOSQUITTO_GROUP = "mosquitto"
DAEMON_ACL = """\
topic write rep/{m}/status
topic write rep/{m}/info
topic write rep/{m}/live/#
topic write rep/{m}/state
topic write rep/{m}/event/#
topic write rep/{m}/set
topic write rep/{m}/session/#
topic write rep/{m}/ack/#
topic write rep/{m}/resume/#
topic write rep/{m}/cmd/#
topic read rep/{m}/#
"""
DISPLAY_ACL = """\
topic read rep/+/status
topic read rep/+/info
topic read rep/+/live/#
topic read rep/+/state
topic read rep/+/event/#
topic read rep/+/set
topic read rep/+/session/#
topic read rep/+/ack/#
topic read rep/+/resume/#
topic write rep/+/cmd/resume
"""
COACH_ACL = """\
topic read rep/+/#
topic write rep/+/cmd/#
"""
ACL_HEAD = """\
# Who may read and write what. Written by `rep-monitor access broker`: change secrets/, not this.
# daemon:  its own machine alone, and for the pages that it serves
# display: looks, and asks for the past
# coach:   looks, and commands
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

# The network: TLS 1.2 or newer, or nothing.
listener 8883
certfile {folder}/server.pem
keyfile {folder}/server.key
tls_version tlsv1.2
"""


class AccessError(Exception):
    """The broker's access cannot be made; the sentence says why and what helps."""


def make(folder: Path, machines: Iterable[str], names: Sequence[str]) -> list[str]:
    """Everything, idempotently; what was made or changed, for a person. Passwords and authority are kept."""
    folder = folder.resolve()
    folder.mkdir(parents=True, exist_ok=True, mode=0o755)
    (folder / "secrets").mkdir(exist_ok=True, mode=0o700)
    told = [f"account {name}" for name in (*(f"daemon-{m}" for m in machines), "display", "coach")
            if _make_secret(folder / "secrets" / name)]  # fmt: skip
    accounts = _accounts(folder)
    if not _passwords_fit(folder / "passwords", accounts):
        _write(folder / "passwords", "".join(f"{name}:{_hashed(word)}\n" for name, word in accounts.items()), 0o640)
        told.append("passwords")
    for name, text in {"acl": acl(accounts), "mosquitto.conf": configuration(folder)}.items():
        path = folder / name
        if not path.exists() or path.read_text() != text:
            _write(path, text, 0o640)
            told.append(name)
    if not (folder / "ca.key").exists():
        _make_authority(folder)
        told.append("ca.pem, an authority of your own")
    if not _certificate_fits(folder, names):
        _make_certificate(folder, names)
        told.append(f"server.pem for {', '.join(names)}")
    return told


def acl(accounts: Iterable[str]) -> str:
    parts = [ACL_HEAD]
    for account in accounts:
        role, _, machine = account.partition("-")
        rules = {"daemon": DAEMON_ACL.format(m=machine), "display": DISPLAY_ACL, "coach": COACH_ACL}[role]
        parts.append(f"user {account}\n{rules}")
    return "\n".join(parts)


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
                f"{folder / 'secrets' / name} is no account: name it daemon-<machine>, display-<name> or coach-<name>,"
                " with the password in it"
            )
    return accounts


def _hashed(password: str, salt: bytes | None = None) -> str:
    """mosquitto's form 7: PBKDF2 with SHA-512. Its own tool takes passwords as arguments, where all can read them."""
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


def _make_authority(folder: Path) -> None:
    _openssl(
        *("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-sha256"),
        *("-days", str(CA_DAYS), "-subj", "/CN=rep-monitor authority", "-keyout", "ca.key.new", "-out", "ca.pem"),
        *("-addext", "basicConstraints=critical,CA:TRUE,pathlen:0", "-addext", "keyUsage=critical,keyCertSign,cRLSign"),
        folder=folder,
    )
    os.chmod(folder / "ca.pem", 0o644)
    os.replace(folder / "ca.key.new", folder / "ca.key")  # openssl has made it 0600


def _certificate_fits(folder: Path, names: Sequence[str]) -> bool:
    if not (folder / "server.pem").exists() or not (folder / "server.key").exists():
        return False
    said = _openssl("x509", "-in", "server.pem", "-noout", "-ext", "subjectAltName", folder=folder)
    known = {part.split(":", 1)[1].strip() for part in said.replace("\n", ",").split(",") if ":" in part[1:-1]}
    lasts = subprocess.run(
        [_program(), "x509", "-in", "server.pem", "-noout", "-checkend", str(RENEW_BEFORE_DAYS * 86_400)],
        cwd=folder,
        capture_output=True,
    )
    signed = subprocess.run([_program(), "verify", "-CAfile", "ca.pem", "server.pem"], cwd=folder, capture_output=True)
    return set(names) <= known and lasts.returncode == 0 and signed.returncode == 0


def _make_certificate(folder: Path, names: Sequence[str]) -> None:
    _openssl(
        *("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-sha256"),
        *("-subj", f"/CN={names[0][:64]}", "-keyout", "server.key.new", "-out", "server.csr"),
        folder=folder,
    )
    with tempfile.NamedTemporaryFile("w", suffix=".ext") as extensions:
        extensions.write(
            f"basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\nextendedKeyUsage=serverAuth\n"
            f"subjectAltName={','.join(_alternative(name) for name in names)}\n"
        )
        extensions.flush()
        _openssl(
            *("x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-sha256"),
            *("-set_serial", f"0x{secrets.token_hex(16)}", "-days", str(SERVER_DAYS)),
            *("-extfile", extensions.name, "-out", "server.pem"),
            folder=folder,
        )
    (folder / "server.csr").unlink()
    os.replace(folder / "server.key.new", folder / "server.key")
    _for_mosquitto(folder / "server.key", 0o640)
    os.chmod(folder / "server.pem", 0o644)


def _alternative(name: str) -> str:
    try:
        return f"IP:{ip_address(name)}"
    except ValueError:
        return f"DNS:{name}"


def _program() -> str:
    if (found := shutil.which("openssl")) is None:
        raise AccessError("there is no openssl: sudo apt-get install openssl")
    return found


def _openssl(*words: str, folder: Path) -> str:
    done = subprocess.run([_program(), *words], cwd=folder, capture_output=True, text=True, umask=0o077)
    if done.returncode:
        raise AccessError(f"openssl {words[0]}: {' '.join(done.stderr.split())}")
    return done.stdout


def _write(path: Path, text: str, mode: int) -> None:
    write_whole(path, text.encode(), 0o600)
    _for_mosquitto(path, mode)


def _for_mosquitto(path: Path, mode: int) -> None:
    """The broker's user reads what its group may; where there is no such group, the owner alone does."""
    if mode & 0o070 and os.geteuid() == 0:
        try:
            shutil.chown(path, group=MOSQUITTO_GROUP)
        except LookupError:
            mode &= 0o700
    os.chmod(path, mode)
