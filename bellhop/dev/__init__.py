"""The embedded stack: everything Bellhop needs, on one machine, without Docker or accounts (`bellhop dev`)."""
