"""Replays recordings and tables of samples: for the terminal, over MQTT, or for a report."""
