"""The user's settings, and the state remembered between runs: config, state, themes."""
