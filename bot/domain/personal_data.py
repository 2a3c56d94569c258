"""Numbers and words that belong to one person, and how they are hidden."""

from __future__ import annotations

import re
import unicodedata
from typing import NamedTuple

from bot.domain.wording import PersonalDataRule, Rules

_DIGITS_IN_CHINESE = str.maketrans("〇零幺一二三四五六七八九", "001123456789")
# Digits that somebody wrote in groups: 6222 0202-0011.2233 is one number.
_GROUPED = re.compile(r"\d(?:[ \-._·,、/]{0,2}\d){9,40}[Xx]?")
_BETWEEN = re.compile(r"[ \-._·,、/]")
_DATE = re.compile(r"(?:19|20)\d\d[-./]\d{1,2}[-./]\d{1,2}")
# What no file can switch off: identity cards of 18 and 15 places, bank cards, mobile numbers.
_NUMBER = re.compile(
    r"(?<!\d)(?:\d{17}[\dXx]|\d{16,19}|[1-9]\d{7}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}"
    r"|(?:86)?1[3-9]\d{9})(?!\d)"
)
_SECRET = re.compile(
    r"(?:[验驗][证證][码碼]|校[验驗][码碼]|[动動][态態](?:[码碼]|口令|密[码碼])|密[码碼]|口令)"
    r"(?:[是为為叫:=\s,「“\"(]|就是|[给給][你您]|[发發][你您]|我的|收到)*(\d{4,8})(?!\d)"
    r"|(?<!\d)(\d{6})(?:[,\s]|这|这个|就?是|为|我的|收到的|短信)*(?:[验驗][证證][码碼]|校[验驗][码碼]|[动動][态態][码碼]|密[码碼])"
)
_KEEPS = 4
# Fewer digits than this are nobody's number, and most texts have fewer.
_FEWEST = 4
_DIGITS = re.compile(r"[\d〇零幺一二三四五六七八九]")


class _Span(NamedTuple):
    begin: int
    end: int
    keeps: int
    rule: PersonalDataRule | None = None


class PersonalData(NamedTuple):
    """Personal data that stands in a text."""

    rule: str
    name: str
    matched: str


def personal_data_in(text: str, rules: Rules) -> list[PersonalData]:
    """Find identity card, bank card and mobile numbers, also those written in groups."""
    plain = _narrow(text)
    return [
        PersonalData(span.rule.id, span.rule.name, plain[span.begin : span.end])
        for span in _by_rules(plain, rules, outside=False)
        if span.rule is not None
    ]


def mask(text: str, rules: Rules, *, outside: bool = False) -> str:
    """Hide personal data but for the last characters that its rule keeps.

    ``outside`` also hides what only leaves the bank's rooms hidden: names and addresses (S15).
    """
    plain = _narrow(text)
    return _hidden(text, [*_numbers(plain), *_by_rules(plain, rules, outside=outside)])


def mask_numbers(text: str) -> str:
    """Hide card, identity and mobile numbers and codes, whatever the rules file says."""
    if len(_DIGITS.findall(text)) < _FEWEST:
        return text
    return _hidden(text, _numbers(_narrow(text)))


def _hidden(text: str, spans: list[_Span]) -> str:
    masked = list(text)
    for span in spans:
        last = max(span.begin, span.end - span.keeps)
        masked[span.begin : last] = "*" * (last - span.begin)
    return "".join(masked)


def _narrow(text: str) -> str:
    """Make full-width and Chinese digits plain and keep every character at its place."""
    if text.isascii():
        return text
    narrow = (unicodedata.normalize("NFKC", char) for char in text)
    plain = "".join(new if len(new) == 1 else old for new, old in zip(narrow, text, strict=True))
    return plain.translate(_DIGITS_IN_CHINESE)


def _numbers(text: str) -> list[_Span]:
    found = [_Span(*match.span(), _KEEPS) for match in _NUMBER.finditer(text)]
    found += [
        _Span(begin, end, _KEEPS)
        for begin, end, digits in _grouped(text)
        if _NUMBER.fullmatch(digits)
    ]
    for match in _SECRET.finditer(text):
        found.append(_Span(*match.span(1 if match[1] else 2), 0))
    return found


def _grouped(text: str) -> list[tuple[int, int, str]]:
    """Give each number written in groups with its place and its digits alone."""
    return [
        (*match.span(), _BETWEEN.sub("", match[0]))
        for match in _GROUPED.finditer(text)
        if not _DATE.search(match[0])
    ]


def _by_rules(text: str, rules: Rules, *, outside: bool) -> list[_Span]:
    """Find what the rules name, the first rule first; no character belongs to two."""
    spans: list[_Span] = []
    taken: set[int] = set()
    groups = _grouped(text)
    for rule in rules.personal_data:
        if rule.outside_only and not outside:
            continue
        found = [_told(match) for match in re.finditer(rule.pattern, text)]
        found += [(at, to) for at, to, digits in groups if re.fullmatch(rule.pattern, digits)]
        for begin, end in found:
            if begin < end and taken.isdisjoint(range(begin, end)):
                taken.update(range(begin, end))
                spans.append(_Span(begin, end, rule.keeps, rule))
    return spans


def _told(match: re.Match[str]) -> tuple[int, int]:
    """Return the place of what a pattern puts in brackets, or of all of it."""
    number = match.lastindex or 0
    return match.span(number)
