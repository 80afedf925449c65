"""Says what happens to messages, and in which order."""
