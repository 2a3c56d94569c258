"""What customers send besides words: what each form is called, and what is said to it."""

from __future__ import annotations

from datetime import timedelta

from bot.domain.actions import Action, HandOver
from bot.domain.lead import RESPOND_WITHIN, Need
from bot.domain.value import Value

_COMES = "我请{经理.称呼}来看。"
_BEWARE = "要是有人让您转账、共享屏幕、报验证码，先别照做。"
_SOON = 10  # minutes: a screenshot may show a fraud that is going on


class Form(Value):
    """A form of message that nobody here can read, and the reply to it."""

    label: str
    words: str
    within_minutes: int | None = RESPOND_WITHIN[Need.PERSON] // timedelta(minutes=1)

    @property
    def actions(self) -> tuple[Action, ...]:
        """Return what is done: a person looks, where one is needed."""
        if self.within_minutes is None:
            return ()
        return (HandOver(need=Need.PERSON, within_minutes=self.within_minutes),)


VOICE = Form(
    label="语音",
    words="语音我这边听不了，请您打字告诉我。不方便打字也不要紧，我请{经理.称呼}来听。",
)
UNCLEAR = Form(
    label="语音",
    words="刚才的语音没听清，麻烦您打字再说一遍。我也请{经理.称呼}来听。",
)
_UNKNOWN = Form(label="其他消息", words=f"这种消息我看不懂，请您打字告诉我。{_COMES}")
_CHANNELS = Form(
    label="视频号内容",
    words="视频号里的内容我看不了。想问什么，您打字告诉我就行。",
    within_minutes=None,
)
_FORMS = {
    "voice": VOICE,
    "image": Form(label="图片", words=f"图片我看不了，{_COMES}{_BEWARE}", within_minutes=_SOON),
    "video": Form(label="视频", words=f"视频我看不了，{_COMES}{_BEWARE}", within_minutes=_SOON),
    "merged_msg": Form(
        label="聊天记录", words=f"转来的聊天记录我看不全，{_COMES}{_BEWARE}", within_minutes=_SOON
    ),
    "file": Form(label="文件", words=f"文件我打不开，{_COMES}身份证、银行卡的照片先别往外发。"),
    "link": Form(
        label="链接",
        words=f"链接我打不开，也请您先别点、别在里面填信息。{_COMES}",
        within_minutes=_SOON,
    ),
    "miniprogram": Form(label="小程序", words=f"小程序我打不开，也请您先别在里面填信息。{_COMES}"),
    "location": Form(
        label="位置",
        words="位置收到了。想找网点、问几点开门，您打字告诉我就行。",
        within_minutes=None,
    ),
    "business_card": Form(
        label="名片",
        words="名片收到了。想找哪位同事，您打字告诉我，我去喊人。",
        within_minutes=None,
    ),
    "channels": _CHANNELS,
    "channels_shop_product": _CHANNELS,
    "channels_shop_order": _CHANNELS,
}


def form_of(name: str) -> Form:
    """Return a form by WeCom's word for it; one of a later year is answered politely too."""
    return _FORMS.get(name, _UNKNOWN)


def most_urgent(names: list[str]) -> Form | None:
    """Return the form that a person should see first; None where none needs a person."""
    needy = [form for name in names if (form := form_of(name)).within_minutes is not None]
    return min(needy, key=lambda form: form.within_minutes or 0, default=None)
