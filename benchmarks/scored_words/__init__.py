"""What the figures of the demo models are made of: masks of words, answers, maps and tables."""
