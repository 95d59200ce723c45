"""The live feedback in a terminal."""
