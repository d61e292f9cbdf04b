"""People who write, and staff who answer: threads, notes, keywords."""
