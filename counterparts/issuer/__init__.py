"""A stand-in for an OpenID Connect provider: discovery, keys that can be rotated, tokens for development."""
