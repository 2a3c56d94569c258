"""Whom of the bank's staff a script's matters concern: its owner, and consumer protection."""

from __future__ import annotations

from bot.domain.bank import Bank
from bot.domain.ids import RmId


def consumer_protection(bank: Bank) -> tuple[RmId, ...]:
    """Return those who look after customers' rights (消保), as far as they are on duty."""
    return tuple(one.userid for one in bank.staff if one.role == "消保" and one.on_duty)


def owner_of(bank: Bank, words: str) -> tuple[RmId, ...]:
    """Return the member of staff whom a file names as 负责人 (运营-周岚); empty for a stranger."""
    name = words.strip().rpartition("-")[2]
    found = [one.userid for one in bank.staff if name in (one.name, one.userid) and one.on_duty]
    return tuple(found[:1])


def in_charge(bank: Bank, words: str) -> tuple[RmId, ...]:
    """Return a file's owner; where staff has nobody of that name, consumer protection."""
    return owner_of(bank, words) or consumer_protection(bank)


def both(bank: Bank, words: str) -> tuple[RmId, ...]:
    """Return a file's owner and consumer protection, each once."""
    return tuple(dict.fromkeys((*owner_of(bank, words), *consumer_protection(bank))))
