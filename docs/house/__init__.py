"""The house: which file imports which, on which floor each room stands, and a picture of both."""
