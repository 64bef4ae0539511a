"""Theme files (TOML) and the style sheet: data, read by ringtop.tui."""
