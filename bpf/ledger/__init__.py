"""The ledger: the counters that account for every event, and must balance."""
