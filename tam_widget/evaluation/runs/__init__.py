"""An evaluation from sample to sample: what it is made with, its rows on disk, alone or on a cluster."""
