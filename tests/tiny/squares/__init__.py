"""Families that are shown one square of each picture."""
