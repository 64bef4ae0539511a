"""The terminal writer: it sends only changed cells, and never fills a slow link."""
