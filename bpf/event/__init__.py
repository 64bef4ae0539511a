"""The description of events, and batches that hold many of them."""
