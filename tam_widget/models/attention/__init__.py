"""What a text decoder's attention is given during a run, and how its output reaches the residual stream."""
