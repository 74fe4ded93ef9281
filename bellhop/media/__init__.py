"""Files that messages carry: what they are, where their bytes lie, and how those behind a URL are fetched."""
