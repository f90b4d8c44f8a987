"""Whatever a person calls a picture or a video, read into one form."""
