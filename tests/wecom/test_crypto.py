import base64
import json
import time
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wechatpy.crypto.base import WeChatCipher
from wechatpy.work.crypto import WeChatCrypto

from bot.errors import CallbackRejected, ConfigError
from bot.wecom.crypto import (
    MAX_BODY_BYTES,
    CallbackCrypto,
    listed,
    open_echo,
    open_envelope,
    open_request,
    parse_xml,
)

TOKEN = "QDG6eK"
AES_KEY = "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C"
CORP = "wx5823bf96d3bd56c7"
RANDOM16 = b"0123456789abcdef"
TIMESTAMP = "1409659813"
NONCE = "1372623149"
NOW = datetime.fromtimestamp(int(TIMESTAMP), UTC)

HELLO = (
    "<xml><ToUserName><![CDATA[wx5823bf96d3bd56c7]]></ToUserName>"
    "<Content><![CDATA[hello]]></Content></xml>"
)
VECTORS = [
    (
        "1616140317555161061",
        CORP,
        "sKqRbbiSUnDhFHOvPjtUMWzf2R8PrpMiTTPaicBgqZlYW/WsF6SiFd2z9CriX2YpWYzF1yrNNQ0SomM3ovdnfA==",
        "a8498dda3672bf27adfc6a4a85e7a9ffa9243566",
    ),
    (
        HELLO,
        CORP,
        "sKqRbbiSUnDhFHOvPjtUMV+bt+WaVb1OGJSDwd+x0KOoRm9ekd8pZYDl7EXxMAAfJ5YCJ490AxI+dtSolT6sUn7y"
        "fYC9PMUXiNvBLUWJYYS5B8r5ZKcV6HcJNqPMceiL9yrb2NALTXpogkwhwGFwD/lpwvYxMyAB4TpZwLhpnt5ywuih"
        "nkhL6tSQMyxxixr3/7v3oBnJeHuPxeaGmBo/jA==",
        "0fefa3f5fc662df8670889b636e15a87b8b1a0c7",
    ),
    (
        '{"msgtype":"text","text":{"content":"hi"}}',
        "",
        "sKqRbbiSUnDhFHOvPjtUMeJBV1LIPhBLiS/+bDapFbYVhHdUs/DnbaknhbqfAh2BTpK5aJX7/p7a/MUQd1b1sA==",
        "42cf74edaccba14c0661d71ba89be87065be290a",
    ),
]
CRYPTO = CallbackCrypto(TOKEN, AES_KEY, CORP)


def request(
    crypto: CallbackCrypto = CRYPTO, plain: str = HELLO, form: str = "xml"
) -> tuple[bytes, dict[str, str]]:
    encrypted, signature = crypto.encrypt(plain, NONCE, TIMESTAMP)
    body = {
        "xml": f"<xml><ToUserName><![CDATA[{CORP}]]></ToUserName><AgentID></AgentID>"
        f"<Encrypt><![CDATA[{encrypted}]]></Encrypt></xml>",
        "plain xml": f"<xml>\n<Encrypt> {encrypted} </Encrypt>\n</xml>",
        "json": f'{{"encrypt": "{encrypted}"}}',
        "escaped json": '{"encrypt":"' + encrypted.replace("/", "\\/") + '"}',
    }[form]
    return body.encode(), {"msg_signature": signature, "timestamp": TIMESTAMP, "nonce": NONCE}


def locked(content: bytes) -> str:
    """Lock raw bytes with the real key: a message only a broken WeCom could send."""
    cipher = WeChatCipher(base64.b64decode(AES_KEY + "="))
    return base64.b64encode(cipher.encrypt(content)).decode()


@pytest.mark.parametrize(("plain", "receive_id", "encrypted", "signature"), VECTORS)
def test_the_vectors_come_out_byte_for_byte_both_ways(plain, receive_id, encrypted, signature):
    crypto = CallbackCrypto(TOKEN, AES_KEY, receive_id)
    assert crypto.encrypt(plain, NONCE, TIMESTAMP, RANDOM16) == (encrypted, signature)
    assert crypto.decrypt(encrypted) == plain
    crypto.verify(signature, TIMESTAMP, NONCE, encrypted)


@given(plain=st.text(max_size=300))
def test_whatever_is_locked_unlocks_and_wechatpy_agrees(plain):
    encrypted, signature = CRYPTO.encrypt(plain, NONCE, TIMESTAMP)
    assert CRYPTO.decrypt(encrypted) == plain
    peer = WeChatCrypto(TOKEN, AES_KEY, CORP)
    assert peer.check_signature(signature, TIMESTAMP, NONCE, encrypted) == plain


@given(text=st.text(max_size=200))
def test_no_text_makes_decrypt_raise_anything_but_a_rejection(text):
    with pytest.raises(CallbackRejected):
        CRYPTO.decrypt(text)


@given(content=st.binary(max_size=160))
def test_no_locked_bytes_make_decrypt_raise_anything_but_a_rejection(content):
    with pytest.raises(CallbackRejected):
        CRYPTO.decrypt(locked(content.ljust(-(-len(content) // 16) * 16, b"\0")))


@pytest.mark.parametrize("form", ["xml", "plain xml", "json", "escaped json"])
def test_an_envelope_opens_in_every_form(form):
    body, query = request(form=form)
    assert open_envelope(body, query, CRYPTO, NOW) == HELLO


@pytest.mark.parametrize("field", ["msg_signature", "timestamp", "nonce"])
def test_a_changed_or_missing_query_value_is_rejected(field):
    body, query = request()
    for value in ("1409659814", "", "\ud800", "好"):
        with pytest.raises(CallbackRejected):
            open_envelope(body, query | {field: value}, CRYPTO, NOW)
    del query[field]
    with pytest.raises(CallbackRejected):
        open_envelope(body, query, CRYPTO, NOW)


def test_a_forged_signature_is_refused_before_the_text_is_unlocked():
    query = {"msg_signature": "0" * 40, "timestamp": TIMESTAMP, "nonce": NONCE}
    with pytest.raises(CallbackRejected) as refused:
        open_envelope(b"<xml><Encrypt>AAAA</Encrypt></xml>", query, CRYPTO, NOW)
    assert (refused.value.reason, refused.value.status) == ("signature", 403)


@pytest.mark.parametrize("hours", [-1.01, 1.01])
def test_an_old_or_future_timestamp_is_refused_and_the_window_can_be_set(hours):
    body, query = request()
    now = NOW + timedelta(hours=hours)
    with pytest.raises(CallbackRejected) as refused:
        open_envelope(body, query, CRYPTO, now)
    assert refused.value.reason == "replay_window"
    assert open_envelope(body, query, CRYPTO, now, replay_window_s=7200) == HELLO


def test_a_body_over_64_kib_is_refused_with_413():
    body, query = request()
    assert open_envelope(body.ljust(MAX_BODY_BYTES), query, CRYPTO, NOW) == HELLO
    with pytest.raises(CallbackRejected) as refused:
        open_envelope(body.ljust(MAX_BODY_BYTES + 1), query, CRYPTO, NOW)
    assert refused.value.status == 413


@pytest.mark.parametrize(
    "body",
    [b"", b"<xml></xml>", b"{}", b"<Encrypt>" * 7000, b"\xff" * 100, b"[" * 60_000],
    ids=["empty", "no element", "no key", "only openings", "not text", "nested"],
)
def test_a_body_without_an_envelope_is_refused(body):
    _, query = request()
    with pytest.raises(CallbackRejected) as refused:
        open_envelope(body, query, CRYPTO, NOW)
    assert (refused.value.reason, refused.value.status) == ("envelope", 403)


@pytest.mark.parametrize("last", [b"\x00", b"\x21", b"\xff", b"\x01\x02"])
def test_broken_padding_is_refused(last):
    content = RANDOM16 + (1).to_bytes(4, "big") + b"x" + CORP.encode()
    with pytest.raises(CallbackRejected) as refused:
        CRYPTO.decrypt(locked(content.ljust(64 - len(last), b"p") + last))
    assert refused.value.reason == "padding"


def test_a_length_beyond_the_message_is_refused():
    content = RANDOM16 + (2**32 - 1).to_bytes(4, "big") + CORP.encode()
    with pytest.raises(CallbackRejected) as refused:
        CRYPTO.decrypt(locked(content + bytes([64 - len(content)]) * (64 - len(content))))
    assert refused.value.reason == "plain_length"


@pytest.mark.parametrize("other", ["wx0000000000000000", "", CORP + "x"])
def test_a_message_for_another_receiver_is_refused(other):
    body, query = request(CallbackCrypto(TOKEN, AES_KEY, other))
    with pytest.raises(CallbackRejected) as refused:
        open_envelope(body, query, CRYPTO, NOW)
    assert refused.value.reason == "receive_id"


def test_a_rejection_carries_no_chained_exception():
    with pytest.raises(CallbackRejected) as refused:
        CRYPTO.decrypt("not base64!")
    assert refused.value.__suppress_context__


def test_the_address_check_echoes_the_plain_text():
    encrypted, signature = CRYPTO.encrypt("1616140317555161061", NONCE, TIMESTAMP)
    query = {"msg_signature": signature, "timestamp": TIMESTAMP, "nonce": NONCE}
    assert open_echo(query | {"echostr": encrypted}, CRYPTO, NOW) == "1616140317555161061"
    with pytest.raises(CallbackRejected):
        open_echo(query, CRYPTO, NOW)
    with pytest.raises(CallbackRejected):
        open_echo(query | {"echostr": encrypted}, CRYPTO, NOW + timedelta(days=1))


def test_a_passive_reply_opens_again():
    reply = parse_xml(CRYPTO.reply_xml("<xml><A>好</A></xml>", NONCE, TIMESTAMP))
    query = {
        "msg_signature": str(reply["MsgSignature"]),
        "timestamp": str(reply["TimeStamp"]),
        "nonce": str(reply["Nonce"]),
    }
    body = f"<xml><Encrypt>{reply['Encrypt']}</Encrypt></xml>".encode()
    assert open_envelope(body, query, CRYPTO, NOW) == "<xml><A>好</A></xml>"


def test_a_json_reply_opens_again_and_bears_the_names_that_wecom_reads():
    bot = CallbackCrypto(TOKEN, AES_KEY, "")
    reply = json.loads(bot.reply_json('{"a":"好"}', 'n"', TIMESTAMP))
    assert reply.keys() == {"encrypt", "msgsignature", "timestamp", "nonce"}
    assert (reply["timestamp"], reply["nonce"]) == (int(TIMESTAMP), 'n"')
    bot.verify(reply["msgsignature"], TIMESTAMP, 'n"', reply["encrypt"])
    assert bot.decrypt(reply["encrypt"]) == '{"a":"好"}'


OLD_KEY = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"


@pytest.mark.parametrize(
    ("token", "aes_key"),
    [("OldToken", OLD_KEY), (TOKEN, OLD_KEY), ("OldToken", AES_KEY)],
    ids=["both", "the key only", "the token only"],
)
def test_the_previous_keys_open_too_and_the_answer_is_locked_with_those_that_came(token, aes_key):
    previous = CallbackCrypto(token, aes_key, CORP)
    current = CallbackCrypto(TOKEN, AES_KEY, CORP, previous)
    for signer, expected in ((previous, previous), (CRYPTO, current)):
        body, query = request(signer)
        plain, keys = open_request(body, query, current, NOW)
        assert plain == HELLO
        assert keys is expected
    with pytest.raises(CallbackRejected):
        open_envelope(*request(previous), CRYPTO, NOW)
    with pytest.raises(CallbackRejected):
        open_envelope(*request(CallbackCrypto("Other", AES_KEY, CORP)), current, NOW)


@pytest.mark.parametrize(
    "body",
    [
        b"<Encrypt>" + b"A" * 65_000,
        b"<Encrypt>" + b" " * 65_000,
        b"<Encrypt>" * 7000,
        b'"encrypt"' + b" " * 65_000,
        b'"encrypt":"' + b"\\" * 65_000,
        b'"encrypt":"' * 5900,
    ],
)
def test_no_body_takes_long_to_be_refused(body):
    _, query = request()
    began = time.process_time()
    with pytest.raises(CallbackRejected):
        open_envelope(body, query, CRYPTO, NOW)
    assert time.process_time() - began < 0.1


@pytest.mark.parametrize("key", ["", AES_KEY[:-1], AES_KEY + "A", AES_KEY[:-1] + "+"])
def test_a_wrong_aes_key_is_said_at_construction_without_showing_it(key):
    with pytest.raises(ConfigError, match="BOT_WECOM__CALLBACK_AES_KEY") as wrong:
        CallbackCrypto(TOKEN, key, CORP)
    assert not key or key not in str(wrong.value)


def test_the_setting_that_is_wrong_is_named():
    with pytest.raises(ConfigError, match="BOT_WECOM__CALLBACKS__KF__TOKEN"):
        CallbackCrypto("", AES_KEY, CORP, setting="BOT_WECOM__CALLBACKS__KF__")
    with pytest.raises(ConfigError, match="BOT_AIBOT__AES_KEY"):
        CallbackCrypto(TOKEN, "", "", setting="BOT_AIBOT__")


def test_an_empty_token_is_said_at_construction():
    with pytest.raises(ConfigError, match="BOT_WECOM__CALLBACK_TOKEN"):
        CallbackCrypto("", AES_KEY, CORP)


def test_xml_becomes_strings_dicts_and_lists():
    found = parse_xml(
        "<xml><Event><![CDATA[template_card_event]]></Event><AgentID>1</AgentID><EventKey></EventKey>"
        "<SelectedItems><SelectedItem><QuestionKey>q</QuestionKey><OptionIds><OptionId>a</OptionId>"
        "<OptionId>b</OptionId></OptionIds></SelectedItem></SelectedItems></xml>"
    )
    assert found == {
        "Event": "template_card_event",
        "AgentID": "1",
        "EventKey": "",
        "SelectedItems": {
            "SelectedItem": {"QuestionKey": "q", "OptionIds": {"OptionId": ["a", "b"]}}
        },
    }


def test_text_keeps_its_spaces_and_loses_characters_xml_forbids():
    assert parse_xml("<xml><Content><![CDATA[ a\x08b <i>\n]]></Content></xml>") == {
        "Content": " ab <i>\n"
    }


@pytest.mark.parametrize(
    ("value", "expected"), [(None, []), ("", []), ("a", ["a"]), (["a", "b"], ["a", "b"])]
)
def test_a_repeatable_element_reads_as_a_list(value, expected):
    assert listed(value) == expected


LAUGHS = (
    '<?xml version="1.0"?><!DOCTYPE xml [<!ENTITY a "ha">'
    + "".join(f'<!ENTITY {chr(98 + i)} "{("&" + chr(97 + i) + ";") * 10}">' for i in range(9))
    + "]><xml><Content>&j;</Content></xml>"
)


@pytest.mark.parametrize(
    "plain",
    [
        LAUGHS,
        '<!DOCTYPE xml SYSTEM "http://127.0.0.1/x.dtd"><xml><A>1</A></xml>',
        '<!DOCTYPE xml [<!ENTITY f SYSTEM "file:///etc/hostname">]><xml><A>&f;</A></xml>',
        "<xml><A>&undefined;</A></xml>",
        "<xml><A>",
        "",
        "plain",
        "<xml>leaf</xml>",
        "<a>" * 5000 + "</a>" * 5000,
    ],
    ids=["laughs", "dtd", "file", "entity", "open", "empty", "text", "leaf", "deep"],
)
def test_dangerous_or_broken_xml_is_refused(plain):
    with pytest.raises(CallbackRejected):
        parse_xml(plain)
