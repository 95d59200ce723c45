"""Physical constants, for the simulated machine and for detection."""

STANDARD_GRAVITY_M_S2 = 9.80665  # by definition (3rd CGPM, 1901)
