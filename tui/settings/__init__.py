"""What a user sets and what is remembered: config, state, themes."""
