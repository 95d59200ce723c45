"""What is wrong with a machine's port, board, sensors, clock, disk, broker, page and papers, and the remedy.

port, board, sensors, host, network, papers     facts in, a finding out: one line each
probes, listening, broker, page                 the facts
examination                                     all of it, in order
"""
