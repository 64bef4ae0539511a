"""The viewer and the command line: everything that reads a stream. Never imports bcc."""
