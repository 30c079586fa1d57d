"""The sections of `policy.toml`, one class each, read strictly: what may be written, in which bounds."""
