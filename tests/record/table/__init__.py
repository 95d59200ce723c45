"""The ways in which other tools write a table of samples."""
