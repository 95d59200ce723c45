"""What the collected sets say about a client's training: visits, the next load, the card, the progress."""
