"""Decides at the embedded broker who may connect, publish and read; amqtt asks for each message."""

import secrets
from dataclasses import dataclass, field

from amqtt.plugins.base import BaseAuthPlugin
from amqtt.session import Session

from monitor.mqtt.contract.roles import Page, is_for_collectors, names_lifters


class Anyone(BaseAuthPlugin):  # type: ignore[misc]
    """Admits every client without an account, because only loopback can connect, and refuses a wrong password.

    The rights of a page or an account are checked for each message.
    """

    @dataclass
    class Config:
        """The passwords by account."""

        passwords: dict[str, str] = field(default_factory=dict)

    async def authenticate(self, *, session: Session) -> bool:
        session.is_anonymous = True  # amqtt would keep the session of any other
        known = self.config.passwords.get(session.username or "", "")
        return session.username is None or (
            bool(known) and secrets.compare_digest((session.password or "").encode(), known.encode())
        )


def may_read(session: Session, topic: str) -> bool:
    if Page.read(session.remote_address) is not None:
        return not names_lifters(topic)
    return _has_account(session) or not is_for_collectors(topic)


def may_publish(session: Session, topic: str) -> bool:
    page = Page.read(session.remote_address)
    return page.may_publish(topic) if page is not None else _has_account(session) or not is_for_collectors(topic)


def _has_account(session: Session) -> bool:
    """A client that names an account was admitted with its password."""
    return session.username is not None and Page.read(session.remote_address) is None
