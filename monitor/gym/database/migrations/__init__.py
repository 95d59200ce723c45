"""The migrations of the gym's database, one file each, in the order of their `down_revision`."""
