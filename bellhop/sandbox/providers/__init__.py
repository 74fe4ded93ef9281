"""The simulators: one folder for each provider."""
