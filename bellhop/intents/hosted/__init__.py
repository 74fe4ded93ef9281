"""Hosted detectors: others' models, asked through their makers' own SDKs, off unless they are set up."""
