"""The clients of a gym: their names, their consent, and how each machine is set for them."""
