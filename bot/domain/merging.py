"""Which messages to a member of staff may be put together, and what such a message says; pure.

WeCom drops in silence what a member gets beyond 30 messages a minute (wecom_protocol §1.2), and
nobody reads ten in one. What is grave is never put together with anything.
"""

from __future__ import annotations

from collections.abc import Sequence

from bot.domain.delivery import Terms
from bot.domain.ids import RmId, digest
from bot.domain.messages import Outbound
from bot.domain.pace import RESERVE, Pace
from bot.domain.staff_messages import (
    Button,
    Card,
    Choice,
    StaffCard,
    StaffNotice,
    StaffPoll,
    StaffText,
)
from bot.domain.value import Value

MOST_OPTIONS = 10  # of a drop-down (§3.5)
_LABEL = 10
_WORDS = 120
_TEXTS_BYTES = 1900  # a text holds 2,048 (§3.4)
MEMBER = "member:"
"""So begins the batch of what one member of staff gets: it leaves one by one, or as a digest."""
_WHO, _UNTIL = ("客户", "谁在问", "群"), "请在此前回"


def member_of(message: Outbound, terms: Terms) -> str:
    """Return to which member of staff an ordinary message goes, "" for any other.

    None for what is urgent, for a step's card, which waits for its own press, and for words to
    several people.
    """
    if terms.purpose != "staff" or terms.urgent or terms.run_step is not None:
        return ""
    match message:
        case StaffText(to=(one,)) | StaffCard(to=one) | StaffNotice(to=one) | StaffPoll(to=one):
            return str(one)
        case _:
            return ""


def member_batch(message: Outbound, terms: Terms) -> str:
    """Return the batch by which ordinary messages to one member are found, "" for any other."""
    member = member_of(message, terms)
    return f"{MEMBER}{digest(member, size=12)}" if member else ""


def calm(member: str, a_minute: int) -> dict[str, Pace]:
    """Return the bucket of ordinary messages to a member; none where there is no member."""
    if not member:
        return {}
    burst = a_minute / (1 - RESERVE)  # the reserve of a bucket is not for them
    return {f"calm:{member}": Pace(burst=burst, per_second=a_minute / 60)}


class Item(Value):
    """A card that was put into a digest: its row in the outbox, and how it is called there."""

    id: int
    title: str
    who: str = ""
    until: str = ""

    @property
    def line(self) -> str:
        """Return it as a line of the list."""
        about = "，".join(filter(None, [self.who, f"{self.until}前回" if self.until else ""]))
        return f"{self.title}：{about}" if about else self.title


def item_of(row: int, message: Outbound) -> Item | None:
    """Return how a card is listed; None for words, which a digest says itself."""
    match message:
        case StaffCard(card=card):
            rows = dict(card.rows)
            who = next((rows[name] for name in _WHO if name in rows), "")
            return Item(id=row, title=card.title, who=who, until=rows.get(_UNTIL, ""))
        case StaffPoll(title=title):
            return Item(id=row, title=title)
        case _:
            return None


def said_by(message: Outbound) -> str:
    """Return the words of a message that has nothing to press."""
    match message:
        case StaffText(text=text):
            return text
        case StaffNotice(title=title, rows=rows):
            return "，".join([title, *(f"{name} {value}" for name, value in rows)])
        case _:
            return ""


def fits_digest(message: Outbound) -> bool:
    """Tell whether a digest can hold a message: words are never cut in it, so long ones cannot."""
    match message:
        case StaffText(text=text):
            return len(" ".join(text.split())) <= _WORDS
        case _:
            return True


def words_together(to: RmId, texts: Sequence[str]) -> StaffText:
    """Put words into one message; what does not fit is counted."""
    head = f"这一会儿有 {len(texts)} 条提醒，合在一起给您："
    lines, left = [head], len(texts)
    for number, text in enumerate(texts, 1):
        flat = " ".join(text.split())
        line = f"{number} {flat if len(flat) <= _WORDS else flat[: _WORDS - 1] + '…'}"
        if len("\n".join([*lines, line]).encode()) > _TEXTS_BYTES:
            break
        lines.append(line)
        left -= 1
    if left:
        lines.append(f"还有 {left} 条。问小安「我的线索」或「团队的线索」，就能看全。")
    return StaffText(to=(to,), text="\n".join(lines))


def cards_together(number: int, items: Sequence[Item], *, opened: int = 0) -> Card:
    """Make the card that lists cards, of which each is opened by itself."""
    shown = items[:MOST_OPTIONS]
    lines = [f"{place} {one.line}" for place, one in enumerate(shown, 1)]
    if len(items) > len(shown):
        lines.append(f"还有 {len(items) - len(shown)} 条，打开几条后会列出来")
    title = f"还有 {len(items)} 条" if opened else f"这一会儿来了 {len(items)} 条，合在一起给您"
    options = tuple(
        (str(one.id), f"{place} {one.who or one.title}"[:_LABEL])
        for place, one in enumerate(shown, 1)
    )
    return Card(
        title=title,
        description="选一条，点「打开」，那张卡片马上发来",
        body="\n".join(lines),
        buttons=(Button(text="打开", key=f"digest:{number}:open"),),
        choice=Choice(key=f"digest-{number}", title="打开哪一条", options=options),
    )
