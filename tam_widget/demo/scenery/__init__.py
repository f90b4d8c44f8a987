"""Scenes: what is drawn, in which arrangement, what can be said and asked about it, and what is true."""
