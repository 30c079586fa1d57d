"""Letters by carrier pigeon: an example of a channel."""
