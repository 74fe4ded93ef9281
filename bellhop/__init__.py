"""What the front end, the workflows, the activities and the worker of Bellhop share."""
