"""A private certificate authority, and the certificates that it signs, made by openssl.

ca.pem  ca.key    the authority in its folder; every client gets ca.pem
"""

import os
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from ipaddress import ip_address
from pathlib import Path

CA_DAYS, SERVER_DAYS, RENEW_BEFORE_DAYS = 3650, 820, 90
NEW_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-sha256")


class AccessError(Exception):
    """Access cannot be given; the message names the reason and the remedy."""


def make_authority(folder: Path) -> None:
    _openssl(
        *("req", "-x509", *NEW_KEY, "-days", str(CA_DAYS), "-subj", "/CN=rep-monitor authority"),
        *("-keyout", "ca.key.new", "-out", "ca.pem"),
        *("-addext", "basicConstraints=critical,CA:TRUE,pathlen:0", "-addext", "keyUsage=critical,keyCertSign,cRLSign"),
        folder=folder,
    )
    os.chmod(folder / "ca.pem", 0o644)
    os.replace(folder / "ca.key.new", folder / "ca.key")  # openssl made it with mode 0600


def certificate_fits(certificate: Path, authority: Path, names: Sequence[str]) -> bool:
    """Whether the certificate, its key beside it, is for all these names and valid for some time."""
    if not certificate.exists() or not certificate.with_suffix(".key").exists():
        return False
    output = _openssl("x509", "-in", str(certificate), "-noout", "-ext", "subjectAltName", folder=authority)
    known = {part.split(":", 1)[1].strip() for part in output.replace("\n", ",").split(",") if ":" in part[1:-1]}
    lasts = ("x509", "-in", str(certificate), "-noout", "-checkend", str(RENEW_BEFORE_DAYS * 86_400))
    signed = ("verify", "-CAfile", "ca.pem", str(certificate))
    return set(names) <= known and all(
        subprocess.run([_program(), *words], cwd=authority, capture_output=True).returncode == 0
        for words in (lasts, signed)
    )


def make_certificate(certificate: Path, authority: Path, names: Sequence[str]) -> None:
    """Writes the certificate, and its key with mode 0600 beside it."""
    key = certificate.with_suffix(".key")
    with tempfile.TemporaryDirectory(dir=certificate.parent) as folder:
        request, extensions = Path(folder, "csr"), Path(folder, "extensions")
        new_key, new_certificate = Path(folder, "key"), Path(folder, "pem")
        extensions.write_text(
            f"basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\nextendedKeyUsage=serverAuth\n"
            f"subjectAltName={','.join(_alternative(name) for name in names)}\n"
        )
        _openssl(
            *("req", "-new", *NEW_KEY, "-subj", f"/CN={names[0][:64]}"),
            *("-keyout", str(new_key), "-out", str(request)),
            folder=authority,
        )
        _openssl(
            *("x509", "-req", "-in", str(request), "-CA", "ca.pem", "-CAkey", "ca.key", "-sha256"),
            *("-set_serial", f"0x{secrets.token_hex(16)}", "-days", str(SERVER_DAYS)),
            *("-extfile", str(extensions), "-out", str(new_certificate)),
            folder=authority,
        )
        os.chmod(new_certificate, 0o644)
        os.replace(new_key, key)
        os.replace(new_certificate, certificate)


def _alternative(name: str) -> str:
    try:
        return f"IP:{ip_address(name)}"
    except ValueError:
        return f"DNS:{name}"


def _program() -> str:
    if (found := shutil.which("openssl")) is None:
        raise AccessError("openssl is not installed: sudo apt-get install openssl")
    return found


def _openssl(*words: str, folder: Path) -> str:
    done = subprocess.run([_program(), *words], cwd=folder, capture_output=True, text=True, umask=0o077)
    if done.returncode:
        raise AccessError(f"openssl {words[0]}: {' '.join(done.stderr.split())}")
    return done.stdout
