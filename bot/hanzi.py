"""Traditional characters read as simplified ones, so that one set of words finds both.

Only what is compared is folded; what people wrote is shown and kept as they wrote it.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from opencc import OpenCC

_HAN = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]")
# Taiwan's 帳戶 becomes 帐户, as some write it on the mainland too; tents and bed curtains stay.
_ACCOUNT = re.compile(r"帐(?![篷幕子])(?<![蚊营床纱]帐)")
_REMEMBERED = 1024  # texts: each is looked at by several judges within a moment


def simplified(text: str) -> str:
    """Return text in simplified characters and in the mainland's words (程式 is 程序).

    Text that is simplified already keeps its words.
    """
    return _folded(text) if _HAN.search(text) else text


@lru_cache(_REMEMBERED)
def _folded(text: str) -> str:
    plain: str = _converter("t2s").convert(text)
    if plain != text:
        # Taiwan's words are only looked for in its characters: 支援 is a word here, too.
        plain = _converter("tw2sp").convert(text)
    return _ACCOUNT.sub("账", plain)


@cache
def _converter(manner: str) -> OpenCC:
    from opencc import OpenCC  # its dictionaries take ten milliseconds, once

    return OpenCC(manner)
