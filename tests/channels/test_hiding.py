"""Raw callbacks keep what they are sorted by, and lose the numbers that people wrote."""

from __future__ import annotations

import json

from bot.channels.hiding import hide_in_json, hide_in_xml

CARD, MSGID = "6222021234567890123", "7345678901234567890"


def test_words_of_an_xml_callback_lose_their_numbers_and_ids_stay() -> None:
    plain = (
        f"<xml><Content><![CDATA[卡号{CARD}]]></Content><MsgId>{MSGID}</MsgId>"
        f"<Recognition>身份证11010119900307451X</Recognition></xml>"
    )
    hidden = hide_in_xml(plain)
    assert CARD not in hidden
    assert "0123]]></Content>" in hidden
    assert f"<MsgId>{MSGID}</MsgId>" in hidden
    assert "11010119900307451X" not in hidden


def test_words_of_a_json_callback_lose_their_numbers_and_ids_stay() -> None:
    fields = {
        "msgid": MSGID,
        "response_url": f"https://wecom.example/{MSGID}",
        "text": {"content": f"卡号{CARD}"},
        "mixed": {"msg_item": [{"text": {"content": "打 138 1234 5678"}}]},
    }
    hidden = json.loads(hide_in_json(json.dumps(fields)))
    assert (hidden["msgid"], hidden["response_url"]) == (fields["msgid"], fields["response_url"])
    assert hidden["text"]["content"] == "卡号" + "*" * 15 + "0123"
    assert "1234" not in hidden["mixed"]["msg_item"][0]["text"]["content"]


def test_a_callback_without_such_numbers_stays_as_it_was() -> None:
    plain = '{"msgid":"1",  "text":{"content":"存折还能用吗"}}'
    assert hide_in_json(plain) is plain
