"""How programs on this computer, such as `rep-monitor gym code`, talk to the gym that runs here."""

import ssl
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from monitor.display.admission import COOKIE
from monitor.display.ask_code import EVERYWHERE, MOST_BYTES, PATIENCE_S
from monitor.display.token import kept_token
from monitor.events import UNREADABLE
from monitor.gym.configuration import FOLDER, GymConfig
from monitor.gym.web.logins import PageRole
from monitor.gym.web.routes.access import CodeRequest, ScreenCode
from monitor.mqtt.contract.roles import Role
from monitor.state.folders import StateError, state_directory


def own_token() -> str:
    """The secret in the gym's state folder, which only its user can read. Raises StateError."""
    return kept_token(state_directory(FOLDER), Role.COACH)


def ask_code(config: GymConfig, role: PageRole) -> ScreenCode:
    """A code that lets a new screen in. Blocks. Raises StateError where no gym answers."""
    url = config.page_url
    if url is None:
        raise StateError("this gym has no page: [display] enabled is false")
    connection = _connection(config)
    headers = {
        "Host": urlsplit(url).netloc,
        "Cookie": f"{COOKIE}={own_token()}",
        "Content-Type": "application/json",
    }
    try:
        connection.request("POST", "/api/codes", CodeRequest(role=role).model_dump_json(), headers)
        answer = connection.getresponse()
        if answer.status != HTTPStatus.OK:
            raise StateError(f"the program at {url} gives no code ({answer.status}): is it this user's gym?")
        return msgspec.json.decode(answer.read(MOST_BYTES), type=ScreenCode)
    except (OSError, HTTPException, *UNREADABLE) as error:
        raise StateError(
            f"no gym answers at {url} ({error}): start `rep-monitor gym` with the same --config"
        ) from error
    finally:
        connection.close()


def _connection(config: GymConfig) -> HTTPConnection:
    display = config.display
    host = EVERYWHERE.get(display.bind, display.bind)
    if display.tls is None:
        return HTTPConnection(host, display.port, timeout=PATIENCE_S)
    context = ssl.create_default_context(cafile=str(Path(display.tls) / "page-ca.pem"))
    return HTTPSConnection(host, display.port, timeout=PATIENCE_S, context=context)
