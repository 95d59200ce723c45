"""Asks this computer's running daemon for a code that lets a new screen in."""

from http.client import HTTPConnection, HTTPException
from urllib.parse import urlsplit

import msgspec

from monitor.display.admission import COOKIE
from monitor.display.desk import Invitation
from monitor.events import UNREADABLE
from monitor.mqtt.contract.roles import Role

PATIENCE_S = 3.0
MOST_BYTES = 64 * 1024
EVERYWHERE = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}


def ask_code(page_url: str, bind: str, coach_token: str, role: Role) -> Invitation | None:
    """None if no page answers there, or if it does not accept the token. Blocks."""
    page = urlsplit(page_url)
    connection = HTTPConnection(EVERYWHERE.get(bind, bind), page.port, timeout=PATIENCE_S)
    headers = {"Host": page.netloc, "Cookie": f"{COOKIE}={coach_token}"}
    try:
        connection.request("POST", f"/code?role={role}", headers=headers)
        return msgspec.json.decode(connection.getresponse().read(MOST_BYTES), type=Invitation)
    except (OSError, HTTPException, *UNREADABLE):
        return None
    finally:
        connection.close()
