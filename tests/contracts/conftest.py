"""The bank that the contracts of channels and directories are tested on."""

from tests.channels.bank import bank as bank
