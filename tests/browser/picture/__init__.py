"""The picture as an instrument. One package, so that its files share the notebook of ``conftest.py``."""
