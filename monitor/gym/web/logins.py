"""Who is logged in: a secret in each screen's cookie, of which the database has only a hash.

The logins are read once and kept in memory, so that a screen stays logged in while the database is away. Only this
process changes them.
"""

import hmac
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from typing import Literal

from sqlalchemy import delete, insert, select, update

from monitor.display.admission import KEPT_S
from monitor.gym.database.database import Database
from monitor.gym.database.tables import logins

PageRole = Literal["trainer", "display"]
TOKEN_BYTES = 24
MOST_LOGINS = 200  # a new one replaces the one that was used least recently
NOTED_EVERY_S = 3600.0  # when a login was used last


@dataclass(kw_only=True, slots=True)
class Login:
    """One screen. `token_hash` is None for this computer's own programs."""

    token_hash: str | None
    role: PageRole
    name: str
    used_unix_s: float = 0.0

    @property
    def login_id(self) -> str:
        """Names the login in lists; nobody gets in with it."""
        return (self.token_hash or "")[:16]


class Logins:
    """All calls but `by_token` on a loaded list wait for the database: call them in a thread. They raise DatabaseError.

    `own_token` lets this computer's own programs in, as trainers.
    """

    def __init__(self, database: Database, own_token: str | None, clock_s: Callable[[], float] = time.time) -> None:
        self._database = database
        self._own_hash = None if own_token is None else _hash(own_token)
        self._clock_s = clock_s
        self._known: dict[str, Login] | None = None

    @property
    def loaded(self) -> bool:
        return self._known is not None

    def load(self) -> dict[str, Login]:
        if self._known is None:
            columns = (logins.c.token_hash, logins.c.role, logins.c.name, logins.c.used_unix_s)
            with self._database.reading() as connection:
                rows = connection.execute(select(*columns).order_by(logins.c.used_unix_s)).all()
            self._known = {
                token_hash: Login(token_hash=token_hash, role=role, name=name, used_unix_s=used_unix_s)
                for token_hash, role, name, used_unix_s in rows
            }
        return self._known

    def by_token(self, token: str) -> Login | None:
        """None for a token that was never given, was withdrawn, or was not used for as long as a browser keeps it."""
        given, found = _hash(token), None
        if self._own_hash is not None and hmac.compare_digest(given, self._own_hash):
            return Login(token_hash=None, role="trainer", name="this computer")
        for token_hash, login in self.load().items():
            if hmac.compare_digest(given, token_hash):
                found = login
        return found if found is not None and found.used_unix_s > self._clock_s() - KEPT_S else None

    def add(self, role: PageRole, name: str) -> str:
        """Returns the token, which nobody can read again."""
        known, token, now_unix_s = self.load(), secrets.token_urlsafe(TOKEN_BYTES), self._clock_s()
        login = Login(token_hash=_hash(token), role=role, name=name, used_unix_s=now_unix_s)
        oldest = sorted(known.values(), key=lambda each: each.used_unix_s)[: max(0, len(known) + 1 - MOST_LOGINS)]
        for each in oldest:
            self.remove(each)
        row = {"token_hash": login.token_hash, "role": role, "name": name}
        with self._database.writing() as connection:
            connection.execute(insert(logins).values(row | {"created_unix_s": now_unix_s, "used_unix_s": now_unix_s}))
        assert login.token_hash is not None
        known[login.token_hash] = login
        return token

    def remove(self, login: Login) -> None:
        if login.token_hash is None:
            return
        with self._database.writing() as connection:
            connection.execute(delete(logins).where(logins.c.token_hash == login.token_hash))
        self.load().pop(login.token_hash, None)

    def note_use(self, login: Login) -> None:
        """Writes now and then that the login is used, so that it stays valid."""
        now_unix_s = self._clock_s()
        if login.token_hash is None or now_unix_s < login.used_unix_s + NOTED_EVERY_S:
            return
        with self._database.writing() as connection:
            its = logins.c.token_hash == login.token_hash
            connection.execute(update(logins).where(its).values(used_unix_s=now_unix_s))
        login.used_unix_s = now_unix_s


def _hash(token: str) -> str:
    return sha256(token.encode(errors="replace")).hexdigest()
