"""Teaching the bot: from what it could not answer to entries that people allowed."""
