"""The labelled corpus and the scorer: how good the detector is, on truth it cannot see."""
