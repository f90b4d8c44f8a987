"""What transformers does not have: the demo models' own tower and processors, and how they are made known to it."""
