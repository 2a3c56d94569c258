"""The whole job in one process: a local WeCom, the bot, and people who play their parts."""
