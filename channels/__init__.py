"""One module per channel, both directions: verify and parse what comes in, send what goes out."""
