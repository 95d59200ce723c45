"""From raw counts to metres and newtons on one machine: steps that look at what the sensors say, and judge it.

answers       what a person has to say      tape, sensors   what the sensors said       findings   what a step found
rates, rest, height, holds, span, repetitions, ring         one step each: numbers in, verdict out
procedure     the steps in their order      result          from findings to a profile  kept       what stays on disk
drift         a session against its calibration
"""
