import pytest

from bot.wecom.app import AppApi, Button, Row, Selection, SentCard, button_card, text_notice

BUTTONS = (Button("接手", "take"), Button("转派", "pass", 2), Button("无效", "drop", 3))
OPTIONS = (("zhang", "张经理"), ("wang", "王经理"))


@pytest.fixture
def app(client):
    return AppApi(client, 1000002)


async def test_text_goes_to_members_and_is_folded_when_repeated(wire, app):
    wire.put("message/send", {"msgid": "m1", "invaliduser": "b|c"})
    assert await app.send_text(["a", "b", "c"], "您好") == SentCard("m1", "", ("b", "c"))
    assert wire.bodies("message/send") == [
        {
            "touser": "a|b|c",
            "msgtype": "text",
            "agentid": 1000002,
            "text": {"content": "您好"},
            "enable_duplicate_check": 1,
            "duplicate_check_interval": 1800,
        }
    ]


async def test_a_card_returns_the_code_that_updates_it(wire, app):
    wire.put("message/send", {"msgid": "m1", "response_code": "rc"})
    card = button_card(task_id="lead-1", title="新线索", buttons=BUTTONS)
    sent = await app.send_card(["a"], card, dedupe_s=0)
    assert sent == SentCard("m1", "rc")
    assert "enable_duplicate_check" not in wire.bodies("message/send")[0]
    await app.update_card("rc", ["a"], replace_name="张经理已接手")
    await app.update_card("rc2", ["a"], card=text_notice(title="好", url="https://example.test"))
    assert wire.bodies("message/update_template_card")[0] == {
        "userids": ["a"],
        "agentid": 1000002,
        "response_code": "rc",
        "button": {"replace_name": "张经理已接手"},
    }
    assert wire.bodies("message/update_template_card")[1]["template_card"]["card_type"] == (
        "text_notice"
    )


async def test_an_update_is_either_a_name_or_a_card(wire, app):
    with pytest.raises(ValueError, match="either"):
        await app.update_card("rc", ["a"])
    with pytest.raises(ValueError, match="either"):
        await app.update_card("rc", ["a"], replace_name="好", card={})
    assert wire.calls == []


@pytest.mark.parametrize(
    ("userids", "content"),
    [([], "好"), (["a"] * 1001, "好"), (["@all"], "好"), (["a|b"], "好"), (["a"], "好" * 683)],
    ids=["nobody", "too many", "everybody", "two in one", "2049 bytes"],
)
async def test_a_text_wecom_would_refuse_or_cut_is_not_sent(wire, app, userids, content):
    with pytest.raises(ValueError, match=r"user|text"):
        await app.send_text(userids, content)
    assert wire.calls == []


def test_a_button_card_has_wecoms_shape():
    card = button_card(
        task_id="lead-1",
        title="新线索",
        desc="存款到期",
        sub_title="请 15 分钟内接手",
        rows=[Row("客户", "李女士"), Row("原话", "看", url="https://example.test/1")],
        buttons=BUTTONS,
        selection=Selection("to", "转派给", OPTIONS, "wang"),
        source="小安",
    )
    assert card == {
        "card_type": "button_interaction",
        "source": {"desc": "小安"},
        "main_title": {"title": "新线索", "desc": "存款到期"},
        "sub_title_text": "请 15 分钟内接手",
        "horizontal_content_list": [
            {"keyname": "客户", "value": "李女士"},
            {"keyname": "原话", "value": "看", "type": 1, "url": "https://example.test/1"},
        ],
        "task_id": "lead-1",
        "button_selection": {
            "question_key": "to",
            "title": "转派给",
            "option_list": [{"id": "zhang", "text": "张经理"}, {"id": "wang", "text": "王经理"}],
            "selected_id": "wang",
        },
        "button_list": [
            {"type": 0, "text": "接手", "style": 1, "key": "take"},
            {"type": 0, "text": "转派", "style": 2, "key": "pass"},
            {"type": 0, "text": "无效", "style": 3, "key": "drop"},
        ],
    }


def test_a_notice_opens_an_address():
    card = text_notice(
        title="日报", url="https://example.test", rows=[Row("主管", "张", userid="z")]
    )
    assert card["card_action"] == {"type": 1, "url": "https://example.test"}
    assert card["horizontal_content_list"] == [
        {"keyname": "主管", "value": "张", "type": 3, "userid": "z"}
    ]


@pytest.mark.parametrize(
    "change",
    [
        {"title": ""},
        {"task_id": ""},
        {"task_id": "线索"},
        {"task_id": "a" * 129},
        {"buttons": ()},
        {"buttons": BUTTONS * 3},
        {"buttons": [Button("十一个字的按钮名称太长", "k")]},
        {"buttons": [Button("", "k")]},
        {"buttons": [Button("好", "")]},
        {"buttons": [Button("好", "k" * 1025)]},
        {"buttons": [Button("好", "k", 5)]},
        {"sub_title": "长" * 113},
        {"rows": [Row("k", "v")] * 7},
        {"rows": [Row("", "v")]},
        {"rows": [Row("k", "v", url="ftp://example.test")]},
        {"rows": [Row("k", "v", url="https://example.test", userid="a")]},
        {"selection": Selection("", "t", OPTIONS)},
        {"selection": Selection("q", "t", ())},
        {"selection": Selection("q", "t", tuple((str(n), "好") for n in range(11)))},
        {"selection": Selection("q", "t", OPTIONS + OPTIONS)},
        {"selection": Selection("q", "t", (("a" * 129, "好"),))},
        {"selection": Selection("q", "t", (("a", "十一个字的选项名称太长"),))},
        {"selection": Selection("q", "t", OPTIONS, "nobody")},
    ],
)
def test_a_card_over_wecoms_limits_is_refused(change):
    good = {"task_id": "t1", "title": "好", "buttons": BUTTONS}
    button_card(**good)
    with pytest.raises(ValueError, match=r"."):
        button_card(**good | change)
