"""Telegram, by a bot: updates by webhook or long polling, letters as messages of the bot."""
