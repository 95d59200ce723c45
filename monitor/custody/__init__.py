"""Care of stored data: backup, restore, retention, and the removal of a person."""
