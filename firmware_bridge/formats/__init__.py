"""From bytes on the wire to samples: one file a wire format, listed in `registry`. Pure: no I/O, no clock."""

from typing import Literal

Format = Literal["frames", "lines-millis", "lines-micros"]
