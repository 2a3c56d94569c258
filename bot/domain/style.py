"""How text must be written so that old people read it with ease: short, plain, one thing."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

# People pause at each of these, so what stands between two is one sentence to the reader.
_PAUSE = re.compile(r"[，。！？；：、,!?;:\n（）()「」“”《》…—]+|(?<!\d)[.](?!\d)|\s{2,}")
_VARIABLE = re.compile(r"\{[^{}]*\}")
_LATIN = re.compile(r"https?://\S+|[A-Za-z0-9][A-Za-z0-9.%/+_-]*")
_SECOND_TOPIC = re.compile(r"另外|此外|还有一件事|再说一件|第二件事|另一件事|顺便再|最后再说")
_EXPONENT = re.compile(r"\d(?:\.\d+)?[eE][+-]?\d+")
_MANY_PLACES = re.compile(r"(?<![\d.])\d+\.\d{3,}(?![\d.])")
_LONG_SUM = re.compile(r"(?<![\d.*-])[1-9]\d{5,}(?=\s*元)")
_SHORTHAND = re.compile(
    r"(?<![A-Za-z])(?:APR|APY|IRR|ROI|NAV|AUM|KYC|ETF|FOF|QDII|REITs?|CPI|GDP|BP|bps?|LPR|OTP|CVV"
    r"|T\s*\+\s*\d)(?![A-Za-z])"
)
_EMOJI = re.compile(
    r"[\U0001f300-\U0001faff\u2600-\u27bf\u2b50\u2b55\u231a-\u23ff]\ufe0f?"
    r"|\[(?:微笑|玫瑰|抱拳|强|庆祝|爱心|太阳|拥抱|呲牙|烟花|红包|握手|鼓掌|加油|OK|发)\]"
)
_SAYS_WHAT_IT_IS = (
    r"[」”』)）\"]?(?:[（(:：]|[，,、]?(?:就是|也就是|指|意思|是指|是说|说的是|是什么|叫|即))"
)
_IS_CALLED = r"(?:什么是|也叫|又叫|叫做?|称为|所谓|俗称|专业上说|行话叫?)[「“『(（]?"


class Slip(NamedTuple):
    """One thing that is hard to read; ``kind`` is English, ``what`` and ``mend`` are for people."""

    kind: str
    words: str
    what: str
    mend: str


class Limits(NamedTuple):
    """How long a sentence and a message may be (0: any length), and how many pictures it bears."""

    sentence: int
    message: int = 0
    emoji: int = 1


def slips(text: str, limits: Limits, jargon: Mapping[str, str]) -> Iterator[Slip]:
    """Give everything in a text that is hard to read; ``jargon`` has each word's plain meaning."""
    length = len(re.sub(r"\s", "", text))
    if limits.message and length > limits.message:
        what = f"一条有 {length} 个字，超过 {limits.message} 个"
        yield Slip("long_message", text[:12], what, "拆成两条，或删掉不要紧的")
    for sentence in long_sentences(text, limits.sentence):
        what = f"这句有 {signs(sentence)} 个字，超过 {limits.sentence} 个"
        yield Slip("long_sentence", sentence, what, "中间断开，一口气读得完")
    second = _SECOND_TOPIC.search(text)
    if second is not None:
        what = f"「{second[0]}」说明这条讲了两件事"
        yield Slip("two_ideas", second[0], what, "一条只讲一件事，分开发")
    yield from _figures(text)
    yield from _words(text, jargon)
    pictures = _EMOJI.findall(text)
    if len(pictures) > limits.emoji:
        what = f"用了 {len(pictures)} 个表情，超过 {limits.emoji} 个"
        yield Slip("emoji", "".join(pictures), what, "删掉多的")


def long_sentences(text: str, most: int) -> list[str]:
    """Return what is longer than ``most`` signs between two pauses."""
    return [part.strip() for part in _PAUSE.split(text) if part and signs(part) > most]


def signs(text: str) -> int:
    """Count as the eye does: a number, a link, a name in letters or a variable is two."""
    return len(re.sub(r"\s", "", _LATIN.sub("字字", _VARIABLE.sub("字字", text))))


def unexplained(text: str, jargon: Mapping[str, str]) -> list[str]:
    """Return the words of the trade that a text uses and does not explain."""
    return [word for word in jargon if word in text and not _explained(word, text, jargon[word])]


def _explained(word: str, text: str, plain: str) -> bool:
    name = re.escape(word)
    if any(part in text for part in re.split(r"[|｜]", plain) if part):
        return True
    return bool(re.search(f"{name}{_SAYS_WHAT_IT_IS}|{_IS_CALLED}{name}", text))


def _words(text: str, jargon: Mapping[str, str]) -> Iterator[Slip]:
    for word in unexplained(text, jargon):
        plain = jargon[word].split("|")[0]
        yield Slip(
            "jargon", word, f"「{word}」没有解释", f"后面加一句，例如「{plain}」，或换个说法"
        )
    for match in _SHORTHAND.finditer(text):
        if match[0] not in jargon and not _explained(match[0], text, ""):
            what = f"「{match[0]}」是英文缩写"
            yield Slip("shorthand", match[0], what, "换成中文，或加一句解释")


def _figures(text: str) -> Iterator[Slip]:
    for pattern, mend in (
        (_EXPONENT, "写成普通的数"),
        (_MANY_PLACES, "小数最多写两位"),
        (_LONG_SUM, "写成多少万元"),
    ):
        for match in pattern.finditer(text):
            yield Slip("figure", match[0], f"「{match[0]}」不好读", mend)
