"""The simulated machine that a profile describes, and the real firmware under it."""
