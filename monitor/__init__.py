"""Samples in, feedback out: detection, recording, store, MQTT, display."""
