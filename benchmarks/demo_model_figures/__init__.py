"""The figures of the demo models: what they are asked about held-out scenes, what is right of it, and the tables."""
