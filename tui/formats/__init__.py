"""Events in formats that are no text. A module here is imported only for its own format: each needs a library that is
an extra."""
