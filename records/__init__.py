"""The records database: the only code that opens a session on it. Sync; every time is a parameter."""
