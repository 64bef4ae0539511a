"""Command lines without the parts that differ from run to run: what programs were started, rather than how each was."""
