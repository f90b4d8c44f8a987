"""Data sets to judge maps on, and the samples that they hold."""
