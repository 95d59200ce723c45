"""Many machines: what they found is collected, and people, workouts and a page for the trainer are added."""
