"""Between WeCom's wire and the bot's own words: one channel for each way in and out."""
