"""What stands around a daemon: lock, broker, page, signals, the service manager."""
