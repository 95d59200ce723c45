"""Sessions that are over: opened, told again, gathered for a report."""
