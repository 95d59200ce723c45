"""Collects the events and sets of many machines, each once and in order, over absences of anybody."""
