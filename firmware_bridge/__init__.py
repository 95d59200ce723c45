"""Bytes in, samples out: the wire, the serial port, the simulated machine."""
