"""The channel `chat`: the conversation on the operator's own page, whose provider we are ourselves."""
