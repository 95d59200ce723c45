"""The reference firmware: its core on this computer, its ELF on an emulated board, the daemon on that board."""
