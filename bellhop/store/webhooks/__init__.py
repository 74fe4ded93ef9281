"""Events, customers' endpoints and the deliveries they are owed, as rows."""
