"""Things: what there is, what it looks like, what it stands before and where."""
