"""The isometric strength test: guides a lifter through static efforts, and finds force and place of each."""
