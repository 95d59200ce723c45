"""A session as it goes on: what the daemon does with each chunk, and what it tells of itself."""
