"""Accounts at your own broker: made for mosquitto, and used by the daemon."""
