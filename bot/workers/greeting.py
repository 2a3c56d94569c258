"""The one welcome to a new friend: worded at once, for it is good for 20 seconds only."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from bot.domain.delivery import Terms
from bot.domain.events import Arrival, CustomerChanged
from bot.domain.ids import digest
from bot.domain.messages import CustomerWelcome
from bot.domain.render import UnknownVariable, render
from bot.domain.variables import variables_for
from bot.storage.db import Tx
from bot.workers.content import Content
from bot.workers.inbox import Store

GOOD_FOR = timedelta(seconds=20)  # wecom_protocol §5.2
NO_WORDS = "no_welcome_in_file"


class Greeting:
    """Puts welcomes into the outbox, each in a lane of its own."""

    def __init__(self, content: Content) -> None:
        self._content = content

    def after(self, store: Store) -> Store:
        """Return a store that also welcomes whoever the arrivals bring, in one transaction.

        Other events may wait for a model or for WeCom: the welcome is not queued behind them.
        """

        async def both(tx: Tx, arrivals: Sequence[Arrival], now: datetime) -> None:
            await store(tx, arrivals, now)
            for arrival in arrivals:
                if isinstance(arrival.event, CustomerChanged):
                    await self.put(tx, arrival.event, now)

        return both

    async def put(self, tx: Tx, event: CustomerChanged, now: datetime) -> str:
        """Welcome a new friend, once; return why there is nothing to say, "" otherwise."""
        if not event.welcome_code:
            return ""
        bank = self._content.bank
        welcome = bank.welcome_for(event.state)
        if welcome is None:
            return NO_WORDS
        variables = variables_for(
            bank,
            today=now.astimezone(bank.zone).date(),
            manager=event.manager,
            kf_link=self._content.kf_link,
        )
        try:
            words = render(welcome.text.strip(), variables)
        except UnknownVariable as error:
            return f"no_value:{error.names[0]}"
        message = CustomerWelcome(
            manager=event.manager,
            customer=event.customer,
            code=event.welcome_code,
            contents=welcome.contents(words),
        )
        terms = Terms(
            purpose="welcome",
            subject=event.customer,
            closes_at=event.at + GOOD_FOR,
            urgent=True,
        )
        await tx.outbox.put(f"welcome:{digest(event.welcome_code)}", message, terms, now)
        return ""
