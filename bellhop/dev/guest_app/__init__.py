"""The app of a guest of the embedded stack, and the part of its property's back end that it needs."""
