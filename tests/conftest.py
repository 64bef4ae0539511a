"""How many examples the property tests try: few where somebody waits (`make check`), many where there is time."""

from __future__ import annotations

from hypothesis import settings

# Without deadlines: a busy machine is no bug.
settings.register_profile("check", max_examples=20, deadline=None)
settings.register_profile("thorough", max_examples=150, deadline=None)
settings.load_profile("thorough")  # unless --hypothesis-profile says otherwise
