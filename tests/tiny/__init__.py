"""Tiny randomly initialised models of the real classes with real processors, made in memory: no file, no network.

One module a group of families; each lists its cases in ``CASES``.
"""
