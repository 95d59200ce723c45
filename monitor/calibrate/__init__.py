"""Calibrates one machine: guides a person through steps that measure the scale and zero of each sensor.

answers            the facts that a person has to give
readings, sensors  the readings since a step began, and a check of the sensors
rates, rest, height, holds, span, repetitions, ring    one step each: readings in, a result or a refusal out
step_results       the result of each step
procedure          the steps in order
changes            from results to the keys of a profile
history            calibrations on disk
workflow           a whole calibration, from the answers to the changed profile
drift              compares a session with the calibration
"""
