"""Families whose processors state the grid of patches that a picture is stretched or padded to."""
