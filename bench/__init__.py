"""The benchmark: what the house does in a second, what it costs, and how that stands to the bare engine."""
