"""Families that are shown a picture in tiles or crops, each in its own way."""
