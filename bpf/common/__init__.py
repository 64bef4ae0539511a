"""Definitions that every other package uses: errors, sizes, process ids and privileges."""
