"""Who is logged in: a secret in each screen's cookie, of which the database has only a hash.

The logins are read once and kept in memory, so that a screen stays logged in while the database is away. Only this
process changes them.
"""

import hmac
import secrets
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
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
    """All calls but `by_token` wait for the database: call them in a thread. They raise DatabaseError.

    `own_token` lets this computer's own programs in, as trainers.
    """

    def __init__(self, database: Database, own_token: str | None, clock_s: Callable[[], float] = time.time) -> None:
        self._database = database
        self._own_hash = None if own_token is None else _hash(own_token)
        self._clock_s = clock_s
        self._changing = threading.Lock()
        self._known: Mapping[str, Login] | None = None  # replaced as a whole, because others read it meanwhile

    @property
    def loaded(self) -> bool:
        return self._known is not None

    def load(self) -> Mapping[str, Login]:
        with self._changing:
            return self._load()

    def _load(self) -> Mapping[str, Login]:
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
        known = self._known if self._known is not None else self.load()  # without the lock, on the event loop
        for token_hash, login in known.items():
            if hmac.compare_digest(given, token_hash):
                found = login
        return found if found is not None and found.used_unix_s > self._clock_s() - KEPT_S else None

    def add(self, role: PageRole, name: str, earlier_token: str | None = None) -> str:
        """Returns the token, which nobody can read again. It replaces the one that the screen had before."""
        token, now_unix_s = secrets.token_urlsafe(TOKEN_BYTES), self._clock_s()
        login = Login(token_hash=_hash(token), role=role, name=name, used_unix_s=now_unix_s)
        with self._changing:
            earlier_hash = None if earlier_token is None else _hash(earlier_token)
            others = [each for each in self._load().items() if each[0] != earlier_hash]
            kept = dict(sorted(others, key=lambda each: -each[1].used_unix_s)[: MOST_LOGINS - 1])
            old = self._load().keys() - kept.keys()
            with self._database.writing() as connection:
                connection.execute(delete(logins).where(logins.c.token_hash.in_(old)))
                connection.execute(insert(logins).values(asdict(login) | {"created_unix_s": now_unix_s}))
            self._known = kept | {str(login.token_hash): login}
        return token

    def remove(self, login: Login) -> None:
        if login.token_hash is None:
            return
        with self._changing:
            with self._database.writing() as connection:
                connection.execute(delete(logins).where(logins.c.token_hash == login.token_hash))
            self._known = {each: known for each, known in self._load().items() if each != login.token_hash}

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
