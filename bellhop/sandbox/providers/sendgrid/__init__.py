"""SendGrid, simulated."""
