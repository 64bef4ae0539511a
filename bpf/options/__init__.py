"""The options of a collector. Flags, config file keys, their limits, help texts and argv are all derived from them."""
