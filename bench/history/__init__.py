"""A long history in a database of its own, and what the product's statements cost on it."""
