"""Physical constants that the simulated machine and the judgement of the real one share."""

STANDARD_GRAVITY_M_S2 = 9.80665  # by definition (3rd CGPM, 1901)
