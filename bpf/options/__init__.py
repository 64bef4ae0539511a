"""What a collector can be asked for. Flags, keys of the config file, their limits, help texts and argv are made from
it."""
