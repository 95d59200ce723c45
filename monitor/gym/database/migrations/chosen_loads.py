"""When a trainer has chosen a client's next load."""

import time

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("client_machines", sa.Column("next_load_unix_s", sa.Float(), nullable=True))
    now = sa.text("UPDATE client_machines SET next_load_unix_s = :now WHERE next_load_n IS NOT NULL")
    op.execute(now.bindparams(now=time.time()))
