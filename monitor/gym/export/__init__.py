"""The sets of the gym's database as files that other programs read."""
