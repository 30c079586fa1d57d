"""The channel `x`: direct messages, encrypted chats and public mentions on X."""
