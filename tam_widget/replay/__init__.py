"""An explained conversation fed to the model again: with its picture, or with another in the picture's place."""
