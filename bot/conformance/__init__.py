"""``zhilin conformance``: what a WeCom bot must do right, tried on a running bot.

The bot under test is met as WeCom meets it: callbacks over HTTP, API calls to a local WeCom. Ours
is started in a process of its own; any other is told where the local WeCom listens.
"""
