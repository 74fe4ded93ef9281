"""What guests want, found in what they write: the built-in detector and the hosted ones."""
