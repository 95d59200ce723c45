"""Examines a machine from its serial port to its page, and names a remedy for each fault.

port, board, sensors, host, network, configuration     turn facts into findings
probes, listening, broker, page                        collect the facts
examination                                            runs all checks in order
"""
