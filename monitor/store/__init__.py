"""Events, sets and sessions on disk; an event is stored before it is published."""
