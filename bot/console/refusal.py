"""What is answered where somebody may not, or cannot, have what they asked for."""

from __future__ import annotations

from bot.console.room import Json

LOGIN_WORDS = "登录过期了，请重新打开这一页。"
FORGED_WORDS = "这个请求不是从侧边栏页面发来的，没有处理。请刷新页面再试。"
NOT_STAFF_WORDS = "您不在本行的员工名单里，不能用这一页。请找管理员在底账里登记。"
NOT_YOURS_WORDS = "这位客户不归您管。只能看自己名下的客户，行长可以看本行的。"
NOT_YOUR_GROUP_WORDS = "这个群不归您管。只能看自己的群，行长可以看本行的。"
UNREADABLE_WORDS = "这个请求读不懂，请刷新页面再试。"
BUSY_WORDS = "系统正忙，没有办成，请过一会儿再试。"


class Refusal(Exception):
    """An answer other than 200: its status, its code, the words for a person, and what is so."""

    def __init__(self, status: int, code: str, words: str, **more: object) -> None:
        self.status = status
        self.code = code
        self.words = words
        self.more = more
        super().__init__(f"{status} {code}")

    @property
    def body(self) -> Json:
        """Return what the page is told."""
        return {"error": self.words, "code": self.code, **self.more}


def unreadable(words: str = UNREADABLE_WORDS) -> Refusal:
    """Return the refusal of a request that makes no sense."""
    return Refusal(422, "bad", words)


def changed(words: str, **now: object) -> Refusal:
    """Return the refusal of what somebody else did before, with the thing as it is now."""
    return Refusal(409, "changed", words, **now)
