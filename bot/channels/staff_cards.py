"""Cards for staff as WeCom has them, one builder for each kind of message."""

from __future__ import annotations

from bot.domain.staff_messages import Card, StaffNotice, StaffPoll
from bot.wecom.cards import (
    Button,
    Fields,
    Row,
    Selection,
    button_card,
    multiple_card,
    news_notice,
    text_notice,
    vote_card,
)

_SUBMIT = "提交"


def pressed_card(task: str, card: Card) -> Fields:
    """Return a card with buttons, and a drop-down above them where it has a choice."""
    choice = card.choice
    return button_card(
        task_id=task,
        title=card.title,
        desc=card.description,
        quote=card.body,
        rows=[Row(name, value) for name, value in card.rows],
        buttons=[Button(button.text, button.key, button.style) for button in card.buttons],
        selection=None if choice is None else Selection(choice.key, choice.title, choice.options),
        url=card.link,
    )


def notice_card(notice: StaffNotice) -> Fields:
    """Return a card that opens a page: with a picture, or in words alone."""
    rows = [Row(name, value) for name, value in notice.rows]
    if notice.picture:
        return news_notice(
            title=notice.title,
            desc=notice.description,
            rows=rows,
            url=notice.url,
            picture=notice.picture,
        )
    return text_notice(title=notice.title, desc=notice.description, rows=rows, url=notice.url)


def poll_card(poll: StaffPoll) -> Fields:
    """Return one question as a vote, more as drop-downs."""
    submit = Button(_SUBMIT, poll.press)
    if len(poll.questions) == 1:
        question = poll.questions[0]
        return vote_card(
            task_id=poll.task,
            title=poll.title,
            desc=poll.description,
            question_key=question.key,
            options=question.options,
            submit=submit,
            several=poll.several,
        )
    return multiple_card(
        task_id=poll.task,
        title=poll.title,
        desc=poll.description,
        questions=[Selection(one.key, one.title, one.options) for one in poll.questions],
        submit=submit,
    )
