"""What WeCom would refuse of a message is said before it is made (wecom_protocol §5.2–§5.8)."""

from __future__ import annotations

import pytest

from tests.domain.builders import head, step
from tests.rooms.sop.desk import Desk, customer_script

PICTURE = "{类型: 图片, 素材: bigfont-3steps.png, 替代文字: 三步}"
LINK = "{类型: 链接, 标题: 小课堂, 网址: 'https://a.example'}"


def script(attachments: str, by: str = "企业群发") -> str:
    return head() + "步骤:\n" + step("a", 1, by=by, more=f"附件: [{attachments}]")


@pytest.mark.parametrize(
    ("attachments", "by", "words"),
    [
        (", ".join([PICTURE] * 10), "企业群发", "最多带 9 个附件，这里有 10 个"),
        (f"{PICTURE}, {LINK}", "入群欢迎语", "最多带 1 个附件，这里有 2 个"),
        ("{类型: 图片, 素材: none.png, 替代文字: 甲}", "企业群发", "sop/files 里没有「none.png」"),
        ("{类型: 图片, 素材: a.gif, 替代文字: 甲}", "企业群发", "存成 .jpeg、.jpg、.png"),
        ("{类型: 视频, 素材: a.mov}", "企业群发", "存成 .mp4"),
        ("{类型: 图片, 素材: big.png, 替代文字: 甲}", "企业群发", "有 10.5 MB，最多 10 MB"),
        (LINK.replace("标题", "封面: cover.png, 标题"), "企业群发", "最多 2 MB"),
        ("{类型: 文件, 素材: empty.pdf}", "企业群发", "是空文件"),
        (LINK.replace("小课堂", "课" * 50), "企业群发", "标题太长，最多 42 个汉字"),
        (LINK.replace("标题", f"说明: {'课' * 200}, 标题"), "企业群发", "说明太长"),
        (
            f"{{类型: 小程序, 标题: {'课' * 30}, 小程序: wx1, 页面: p, 封面: bigfont-3steps.png}}",
            "企业群发",
            "标题太长，最多 21 个汉字",
        ),
        (PICTURE, "提醒经理", "带不了附件"),
        ("", "企业群发", ""),
        (f"{PICTURE}, {LINK}", "企业群发", ""),
        ("{类型: 视频, 素材: a.mp4}, {类型: 文件, 素材: guide.pdf}", "企业群发", ""),
    ],
)
def test_attachments_are_held_to_wecoms_limits(
    bare: Desk, attachments: str, by: str, words: str
) -> None:
    files = bare.root / "sop" / "files"
    for name, size in (
        *(("a.gif", 100), ("a.mov", 100), ("a.mp4", 100), ("guide.pdf", 100), ("empty.pdf", 0)),
        *(("big.png", 11_000_000), ("cover.png", 3_000_000)),
    ):
        (files / name).write_bytes(b"x" * size)
    bare.write(script(attachments, by))
    found = bare.told()
    assert any(words in said for _, said in found) if words else found == []


@pytest.mark.parametrize(
    ("attachments", "sound"),
    [
        (f"{PICTURE}, {PICTURE}", True),
        (LINK, True),
        ("", True),
        (f"{PICTURE}, {LINK}", False),
        (f"{LINK}, {LINK}", False),
        ("{类型: 文件, 素材: bigfont-3steps.png}", False),
    ],
)
def test_a_moment_holds_pictures_or_one_link(bare: Desk, attachments: str, sound: bool) -> None:
    line = '编号: a, 时间: "10:00-11:30", 类型: 知识, 发送方式: 朋友圈, 正文: 您好'
    bare.write(customer_script(f"{line}, 附件: [{attachments}]"))
    found = bare.told()
    assert sound is not any("朋友圈只能带图片" in said for _, said in found), found


@pytest.mark.parametrize(
    ("by", "chars", "words"),
    [
        ("企业群发", 1400, "最多收 4000 个"),
        ("微信客服", 700, "最多收 2048 个"),
        ("企业群发", 700, ""),
    ],
)
def test_a_text_is_held_to_its_bytes(bare: Desk, by: str, chars: int, words: str) -> None:
    line = f'编号: a, 时间: "10:00-11:30", 类型: 知识, 发送方式: {by}, 正文: {"好" * chars}'
    text = customer_script(line).replace("步骤:", "护栏: {正文字数上限: 4000}\n步骤:")
    bare.write(text)
    found = bare.told()
    assert any(words in said for _, said in found) if words else found == []
