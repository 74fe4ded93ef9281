"""The activities of the workflows: thin classes over injected dependencies, pure ports only."""
