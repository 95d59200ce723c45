"""What is kept of machines and people: backed up, restored, tidied, forgotten."""
