"""How much a lead is worth a person's time: points that add up, each with its reason; pure.

Only what is listed in ``Weighed`` is looked at. Sex, people, faith, health, marriage and the like
are not in it and cannot be: a bank's own value field may not bear such a name (``forbidden``).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from bot.domain.lead import Need, Reason
from bot.domain.registry import MATURITY
from bot.domain.value import Value

DEFAULT_THRESHOLD: Final = 40.0
HALF_LIFE: Mapping[Need, timedelta] = {
    Need.RED_FLAG: timedelta(hours=1),
    Need.COMPLAINT: timedelta(days=7),
    Need.LATENT_COMPLAINT: timedelta(days=3),
    Need.PERSON: timedelta(hours=4),
    Need.PRIVACY: timedelta(days=7),
    Need.SERVICE: timedelta(days=2),
    Need.EVENT: timedelta(days=7),
    Need.WEALTH: timedelta(days=3),
    Need.MATURITY: timedelta(days=7),
    Need.LOAN: timedelta(days=5),
    Need.CARD: timedelta(days=5),
    Need.WAKE: timedelta(days=3),
    Need.UNANSWERED: timedelta(hours=12),
}
"""After how long what was noticed is worth half (metrics_leads_scale §4.1)."""
LARGE_MOVEMENT_HALF_LIFE: Final = timedelta(days=1)
_NEED_POINTS: Mapping[Need, float] = {
    Need.RED_FLAG: 100,
    Need.COMPLAINT: 90,
    Need.LATENT_COMPLAINT: 60,
    Need.PERSON: 40,
    Need.PRIVACY: 40,
    Need.SERVICE: 15,
    Need.EVENT: 10,
    Need.WEALTH: 10,
    Need.MATURITY: 12,
    Need.LOAN: 12,
    Need.CARD: 5,
    Need.WAKE: 8,
    Need.UNANSWERED: 20,
}
_EXPLICIT, _PRODUCT, _SUITS, _UNFIT = 30.0, 6.0, 4.0, -12.0
_MOST_EVIDENCE, _MOST_BEHAVIOUR = 60.0, 24.0
_FRIEND, _REACHABLE, _UNREACHABLE = 4.0, 6.0, -15.0
_VALUE_BAND = 4.0
_REFUSES, _MANY_LEADS, _SAID_NO, _WAS_INVALID = -25.0, -5.0, -30.0, -12.0
_FORBIDDEN = re.compile(
    r"性别|男女|民族|种族|籍贯|宗教|信仰|政治|党|健康|疾病|病|残|孕|婚|离异|子女|生育|取向|遗传|基因"
    r"|犯罪|前科"
)


class Sign(NamedTuple):
    """One thing that was noticed: how strongly it speaks, in points when it is new, and when."""

    points: float
    at: datetime
    half_life: timedelta | None = None  # the need's own, where it has none of its own


class Weighed(Value):
    """All that a score may look at.

    ``signs`` are what was noticed of this need; ``acts`` what the customer did besides, lately.
    ``fits`` tells whether the product suits the customer, None where that is not known.
    ``value_band`` is 0 for the lowest, None where the bank tells nothing. ``leads_lately`` counts
    the customer's leads of the last month, ``said_no`` tells of a refused offer of this need.
    """

    need: Need
    explicit: bool = False
    signs: tuple[Sign, ...] = ()
    acts: tuple[Sign, ...] = ()
    product: str = ""
    fits: bool | None = None
    value_band: int | None = None
    friend: bool = False
    reachable: bool | None = None
    refuses: bool = False
    leads_lately: int = 0
    said_no: bool = False
    was_invalid: bool = False


class Scored(Value):
    """A score from 0 to 100, why, and the figures a model may be fitted to.

    ``unwelcome``: the customer refuses what sells, complained or lost somebody not long ago, so
    that nobody asks him for it, whatever the score.
    """

    score: float
    unwelcome: bool = False
    reasons: tuple[Reason, ...] = ()
    features: dict[str, float] = {}  # noqa: RUF012 - pydantic copies it


class LeadRules(Value):
    """What a bank sets of leads: from which score one is opened, and where a value is read.

    ``value_bands`` are the lower ends of the second band and those above it. ``dates`` are the
    customers' dates that make a lead, from ``date_days`` before them on.
    """

    threshold: float = DEFAULT_THRESHOLD
    value_field: str = ""
    value_bands: tuple[float, ...] = ()
    dates: Mapping[str, Need] = {MATURITY: Need.MATURITY}
    date_days: int = 14

    def band(self, value: object) -> int | None:
        """Return in which band a customer's value lies; None where it is no number."""
        if isinstance(value, bool) or not isinstance(value, int | float) or not self.value_bands:
            return None
        return sum(value >= least for least in self.value_bands)


def forbidden(name: str) -> bool:
    """Tell whether a datum of that name may not be scored by, whatever it says."""
    return bool(_FORBIDDEN.search(name))


def fresh(sign: Sign, need: Need, now: datetime) -> float:
    """Return what a sign is still worth: half after each half-life, and never more than new."""
    half_life = sign.half_life or HALF_LIFE[need]
    age = max(now - sign.at, timedelta(0))
    return float(sign.points * 0.5 ** (age / half_life))


def score(weighed: Weighed, now: datetime) -> Scored:
    """Add up what speaks for a lead and against it; the reasons' points are the score's.

    What is noticed besides never makes a score smaller, and what grows old never greater.
    """
    reasons = [one for one in _reasons(weighed, now) if one.points]
    total = sum(one.points for one in reasons)
    kept = min(100.0, max(0.0, total))
    if kept != total:
        word = "超过满分 100 的不计" if total > kept else "不到 0 分的不计"
        reasons.append(Reason(code="bound", words=word, points=round(kept - total, 1)))
    by_points = sorted(reasons, key=lambda one: -one.points)
    return Scored(
        score=round(kept, 1), reasons=tuple(by_points), features=features_of(weighed, now)
    )


def features_of(weighed: Weighed, now: datetime) -> dict[str, float]:
    """Return the figures a model is fitted to; names as ``FEATURES`` has them."""
    return {
        "need": float(_NEED_POINTS[weighed.need]),
        "explicit": float(weighed.explicit),
        "evidence": round(_evidence(weighed, now), 3),
        "behaviour": round(_behaviour(weighed, now), 3),
        "product": float(bool(weighed.product)),
        "fits": _told(weighed.fits),
        "value_band": float(weighed.value_band or 0),
        "friend": float(weighed.friend),
        "reachable": _told(weighed.reachable),
        "refuses": float(weighed.refuses),
        "leads_lately": float(min(weighed.leads_lately, 5)),
        "said_no": float(weighed.said_no),
        "was_invalid": float(weighed.was_invalid),
    }


FEATURES: Mapping[str, tuple[str, int]] = {
    "need": ("事由", 0),
    "explicit": ("客户主动提出", 1),
    "evidence": ("说过的话和日子", 1),
    "behaviour": ("近来的动作", 1),
    "product": ("点名了产品", 1),
    "fits": ("产品合适", 1),
    "value_band": ("客户价值", 1),
    "friend": ("已是好友", 1),
    "reachable": ("联系得上", 1),
    "refuses": ("拒收营销", -1),
    "leads_lately": ("近来线索多", -1),
    "said_no": ("最近婉拒过", -1),
    "was_invalid": ("上次无效", -1),
}
"""What a model may look at: the words for staff, and whether it may only help (1) or harm (-1)."""


def _reasons(weighed: Weighed, now: datetime) -> Sequence[Reason]:
    need = weighed.need
    signs, acts = len(weighed.signs), len(weighed.acts)
    evidence, behaviour = _evidence(weighed, now), _behaviour(weighed, now)
    found = [
        _reason("need", need.value, _NEED_POINTS[need]),
        _reason("explicit", "客户主动提出", _EXPLICIT * weighed.explicit),
        _reason("evidence", f"{signs} 次表露", evidence),
        _reason("behaviour", f"近来有 {acts} 个动作", behaviour),
        _reason("product", f"点名了{weighed.product}", _PRODUCT * bool(weighed.product)),
        _reason("friend", "已是好友", _FRIEND * weighed.friend),
        _reason("refuses", "拒收营销", _REFUSES * weighed.refuses),
        _reason("fatigue", f"一个月里第 {weighed.leads_lately + 1} 条线索", _tired(weighed)),
        _reason("said_no", "最近婉拒过", _SAID_NO * weighed.said_no),
        _reason("was_invalid", "上次同类线索无效", _WAS_INVALID * weighed.was_invalid),
    ]
    if weighed.fits is not None:
        words = "产品合适" if weighed.fits else "产品不合适"
        found.append(_reason("fits", words, _SUITS if weighed.fits else _UNFIT))
    if weighed.value_band:
        found.append(_reason("value", "客户价值高", _VALUE_BAND * min(weighed.value_band, 3)))
    if weighed.reachable is not None:
        words = "现在联系得上" if weighed.reachable else "现在联系不上"
        points = _REACHABLE if weighed.reachable else _UNREACHABLE
        found.append(_reason("reachable", words, points))
    return found


def _reason(code: str, words: str, points: float) -> Reason:
    return Reason(code=code, words=words, points=round(points, 1))


def _evidence(weighed: Weighed, now: datetime) -> float:
    return min(_MOST_EVIDENCE, _worth(weighed.signs, weighed.need, now))


def _behaviour(weighed: Weighed, now: datetime) -> float:
    return min(_MOST_BEHAVIOUR, _worth(weighed.acts, weighed.need, now))


def _worth(signs: Sequence[Sign], need: Need, now: datetime) -> float:
    return sum((fresh(one, need, now) for one in signs), 0.0)


def _tired(weighed: Weighed) -> float:
    return _MANY_LEADS * max(0, min(weighed.leads_lately, 5) - 1)


def _told(truth: bool | None) -> float:
    return 0.0 if truth is None else 1.0 if truth else -1.0
