"""The labelled corpus and the scorer, which measure detection against truth that it cannot see."""
