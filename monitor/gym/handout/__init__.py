"""What a client takes home: one visit on one sheet of paper."""
