"""The gym's database: SQLite by default, PostgreSQL where a gym has one, the same tables in both."""
