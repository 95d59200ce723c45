"""The address of a broker, with the account to use there."""

import msgspec


class Address(msgspec.Struct, frozen=True, kw_only=True):
    """An address that a client connects to."""

    host: str
    port: int = 1883
    username: str | None = None
    password: str | None = None
    tls: bool = False
    ca_file: str | None = None
    client_id: str | None = None  # None: derived from the machine's id
    version: int | None = None  # 5 or 4 (3.1.1); None: try 5, then 4
    websocket_path: str | None = None  # MQTT over WebSocket, at this path
    cookie: str | None = None  # the WebSocket's: a page's token

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"

    def __repr__(self) -> str:  # without the password
        return f"Address({self})"
