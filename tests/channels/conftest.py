"""The bank that every test of a channel talks to."""

from tests.channels.bank import bank as bank
