"""Shows the live feedback of a machine in a terminal."""
