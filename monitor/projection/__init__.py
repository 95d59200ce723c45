"""Plays a recording on the real pages, in a browser on this computer: reel, projector, cinema."""
