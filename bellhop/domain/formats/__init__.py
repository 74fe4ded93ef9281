"""Other vendors' objects: a row as their clients and endpoints read it. Pure; one module each."""
