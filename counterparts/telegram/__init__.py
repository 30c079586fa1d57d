"""A stand-in for Telegram's Bot API, with people who write to the bot from a page."""
