"""The first tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "clients",
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("consent_on", sa.Text(), nullable=True),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.Column("created_unix_s", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("client_id"),
    )
    op.create_table(
        "events",
        sa.Column("site", sa.Text(), nullable=False),
        sa.Column("machine", sa.Text(), nullable=False),
        sa.Column("store_id", sa.Text(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("session", sa.Text(), nullable=False),
        sa.Column("t_s", sa.Float(), nullable=False),
        sa.Column("found_s", sa.Float(), nullable=False),
        sa.Column("record", sa.JSON(), nullable=False),
        sa.Column("collected_unix_s", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("site", "machine", "store_id", "seq"),
    )
    op.create_index("events_by_time", "events", ["collected_unix_s"], unique=False)
    op.create_table(
        "forget_requests",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("asked_unix_s", sa.Float(), nullable=False),
        sa.Column("done_unix_s", sa.Float(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "logins",
        sa.Column("token_hash", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("created_unix_s", sa.Float(), nullable=False),
        sa.Column("used_unix_s", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("token_hash"),
    )
    op.create_table(
        "machines",
        sa.Column("site", sa.Text(), nullable=False),
        sa.Column("machine", sa.Text(), nullable=False),
        sa.Column("store_id", sa.Text(), nullable=True),
        sa.Column("seq", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("sets_seq", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("lost", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("first_seen_unix_s", sa.Float(), nullable=False),
        sa.Column("last_seen_unix_s", sa.Float(), nullable=False),
        sa.Column("label", sa.Text(), nullable=True),
        sa.Column("position", sa.Integer(), server_default="0", nullable=False),
        sa.Column("status", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("info", sa.JSON(none_as_null=True), nullable=True),
        sa.PrimaryKeyConstraint("site", "machine"),
    )
    op.create_table(
        "sets",
        sa.Column("site", sa.Text(), nullable=False),
        sa.Column("machine", sa.Text(), nullable=False),
        sa.Column("store_id", sa.Text(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("session", sa.Text(), nullable=False),
        sa.Column("set_no", sa.Integer(), nullable=True),
        sa.Column("client_id", sa.Text(), nullable=True),
        sa.Column("ended_unix_s", sa.Float(), nullable=False),
        sa.Column("started_unix_s", sa.Float(), nullable=True),
        sa.Column("load_n", sa.Float(), nullable=True),
        sa.Column("under_load_s", sa.Float(), nullable=False),
        sa.Column("under_tension_s", sa.Float(), nullable=True),
        sa.Column("skill", sa.Float(), nullable=True),
        sa.Column("strength_n", sa.Float(), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("reps", sa.Integer(), nullable=False),
        sa.Column("partial_reps", sa.Integer(), nullable=False),
        sa.Column("clean_reps", sa.Integer(), nullable=True),
        sa.Column("marked_failure", sa.Boolean(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("record", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("site", "machine", "store_id", "seq"),
    )
    op.create_index("sets_by_client", "sets", ["client_id", "ended_unix_s"], unique=False)
    op.create_index("sets_by_time", "sets", ["ended_unix_s"], unique=False)
    op.create_table(
        "client_machines",
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("site", sa.Text(), nullable=False),
        sa.Column("machine", sa.Text(), nullable=False),
        sa.Column("seat", sa.Text(), server_default="", nullable=False),
        sa.Column("window_low_s", sa.Float(), server_default="60", nullable=False),
        sa.Column("window_high_s", sa.Float(), server_default="90", nullable=False),
        sa.Column("protocol", sa.Text(), nullable=True),
        sa.Column("next_load_n", sa.Float(), nullable=True),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.ForeignKeyConstraint(["client_id"], ["clients.client_id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("client_id", "site", "machine"),
    )
    op.create_table(
        "forget_answers",
        sa.Column("request_id", sa.Text(), nullable=False),
        sa.Column("site", sa.Text(), nullable=False),
        sa.Column("machine", sa.Text(), nullable=False),
        sa.Column("answered_unix_s", sa.Float(), nullable=True),
        sa.Column("ok", sa.Boolean(), nullable=True),
        sa.Column("detail", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["request_id"], ["forget_requests.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("request_id", "site", "machine"),
    )
