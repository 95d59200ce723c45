"""What a machine publishes, as bytes."""

from typing import Any, Literal

import msgspec

from monitor.mqtt.contract.messages import (
    Delivery,
    InfoMessage,
    LinkInfo,
    MachineInfo,
    ProtocolInfo,
    StateMessage,
)


def state(rep: int) -> bytes:
    """In a set."""
    return msgspec.json.encode(
        StateMessage(
            session="s", stale=False, t_s=1.0, tension_n=500.0, tension=1.0, band="in", phase="positive", position=0.5,
            pace=0.5, velocity_m_s=0.1, set=1, rep=rep, under_load_s=1.0, under_tension_s=1.0, resting=None, cue=None,
            load_n=500.0, load_from="given", fault=None,
        )
    )  # fmt: skip


def info(session: str | None, kind: Literal["stack", "static"] = "stack") -> bytes:
    limits: dict[str, Any] = {
        "bottom_m": 0.0,
        "top_m": 0.5,
        "lockout_m": 0.5,
        "working_load_n": None,
        "force_ceiling_n": None,
    }
    return msgspec.json.encode(
        InfoMessage(
            version="0.1.0",
            machine=MachineInfo(id="a", kind=kind, **limits),
            protocol=ProtocolInfo(name=None, positive_s=4.0, negative_s=4.0, starts_with="positive", band=0.1),
            firmware=None,
            link=LinkInfo(state="live"),
            delivery=Delivery(),
            session=session,
            recording="on",
            fault=None,
        )
    )
