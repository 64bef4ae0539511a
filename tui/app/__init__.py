"""The viewer's process: it ties source, model and widgets together."""
