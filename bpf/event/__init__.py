"""What an event looks like, and many of them in a batch."""
