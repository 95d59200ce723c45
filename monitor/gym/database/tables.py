"""The tables of the gym's database, the same in SQLite and PostgreSQL.

Times are in seconds since 1970 (UTC), loads in newtons. `site` is the topic root of the machine: `rep`, or `berlin/rep`
in a chain. A change of a table needs a migration beside it (`migrations/`); a test compares the two.

`sets.client_id` is what the machine's store says, so it refers to no row here: a machine may name a client whom nobody
knows. A forgotten client has no row in `clients` any more; only `forget_requests` keeps the id, until every machine
has answered.
"""

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
)

metadata = MetaData()

machines = Table(
    "machines",
    metadata,
    Column("site", Text, primary_key=True),
    Column("machine", Text, primary_key=True),
    Column("store_id", Text),  # null: nothing is collected yet
    Column("seq", BigInteger, nullable=False, server_default="0"),  # the last event that `events` contains
    Column("sets_seq", BigInteger, nullable=False, server_default="0"),  # the event up to which `sets` is complete
    Column("lost", BigInteger, nullable=False, server_default="0"),  # records that no store has any more
    Column("first_seen_unix_s", Float, nullable=False),
    Column("last_seen_unix_s", Float, nullable=False),
    Column("label", Text),  # what people call it; null: its id
    Column("position", Integer, nullable=False, server_default="0"),  # its place in the order on the floor
    Column("status", JSON(none_as_null=True)),  # the newest StatusMessage
    Column("info", JSON(none_as_null=True)),  # the newest InfoMessage
)

events = Table(
    "events",
    metadata,
    Column("site", Text, primary_key=True),
    Column("machine", Text, primary_key=True),
    Column("store_id", Text, primary_key=True),
    Column("seq", BigInteger, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("session", Text, nullable=False),
    Column("t_s", Float, nullable=False),  # on the session clock
    Column("found_s", Float, nullable=False),
    Column("record", JSON, nullable=False),  # EVENTS.md 3, without the envelope of MQTT
    Column("collected_unix_s", Float, nullable=False),
)
Index("events_by_time", events.c.collected_unix_s)

sets = Table(
    "sets",
    metadata,
    Column("site", Text, primary_key=True),
    Column("machine", Text, primary_key=True),
    Column("store_id", Text, primary_key=True),
    Column("seq", BigInteger, primary_key=True),  # of its set_end event
    Column("session", Text, nullable=False),
    Column("set_no", Integer),
    Column("client_id", Text),
    Column("ended_unix_s", Float, nullable=False),
    Column("started_unix_s", Float),
    Column("load_n", Float),
    Column("under_load_s", Float, nullable=False),
    Column("under_tension_s", Float),
    Column("skill", Float),
    Column("strength_n", Float),
    Column("outcome", Text, nullable=False),
    Column("reps", Integer, nullable=False),
    Column("partial_reps", Integer, nullable=False),
    Column("clean_reps", Integer),
    Column("marked_failure", Boolean),  # by hand; null: as detected
    Column("note", Text),
    Column("record", JSON, nullable=False),  # the set_end, EVENTS.md 4
)
Index("sets_by_client", sets.c.client_id, sets.c.ended_unix_s)
Index("sets_by_time", sets.c.ended_unix_s)

clients = Table(
    "clients",
    metadata,
    Column("client_id", Text, primary_key=True),  # opaque: `c-` and ten letters or digits
    Column("name", Text, nullable=False),  # or an alias
    Column("consent_on", Text),  # an ISO date; null: the id goes to no machine, no set is shown under the name
    Column("note", Text, nullable=False, server_default=""),
    Column("created_unix_s", Float, nullable=False),
)

client_machines = Table(
    "client_machines",
    metadata,
    Column("client_id", Text, ForeignKey("clients.client_id", ondelete="CASCADE"), primary_key=True),
    Column("site", Text, primary_key=True),
    Column("machine", Text, primary_key=True),
    Column("seat", Text, nullable=False, server_default=""),
    Column("window_low_s", Float, nullable=False, server_default="60"),  # of the time under load
    Column("window_high_s", Float, nullable=False, server_default="90"),
    Column("protocol", Text),
    Column("next_load_n", Float),  # chosen by the trainer
    Column("next_load_unix_s", Float),  # when; a set that began later has used it up
    Column("note", Text, nullable=False, server_default=""),
)

logins = Table(
    "logins",
    metadata,
    Column("token_hash", Text, primary_key=True),
    Column("role", Text, nullable=False),  # trainer or display
    Column("name", Text, nullable=False),
    Column("created_unix_s", Float, nullable=False),
    Column("used_unix_s", Float, nullable=False),
)

forget_requests = Table(
    "forget_requests",
    metadata,
    Column("id", Text, primary_key=True),
    Column("client_id", Text, nullable=False),  # empty when every machine has answered
    Column("asked_unix_s", Float, nullable=False),
    Column("done_unix_s", Float),
)

forget_answers = Table(
    "forget_answers",
    metadata,
    Column("request_id", Text, ForeignKey("forget_requests.id", ondelete="CASCADE"), primary_key=True),
    Column("site", Text, primary_key=True),
    Column("machine", Text, primary_key=True),
    Column("answered_unix_s", Float),
    Column("ok", Boolean),
    Column("detail", Text),  # what the machine said, or why it was not asked yet
)
