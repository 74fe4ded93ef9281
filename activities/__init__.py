"""The verbs the stories use: thin classes over injected dependencies, pure ports only."""
