"""What guests write to a property, as rows."""
