import pytest

from bot.errors import Retryable, Undeliverable
from bot.wecom.errcodes import as_channel_error, classify, hint_for, wecom_error


@pytest.mark.parametrize(
    ("errmsg", "address"),
    [
        ("not allow, from ip: 9.30.0.138, more info", "9.30.0.138"),
        ("not allow to access from ip:2001:db8::1", "2001:db8::1"),
        ("not allow to access from your ip", "本服务器的出口地址"),
    ],
)
def test_the_address_is_found_in_every_wording(errmsg, address):
    assert address in hint_for(60020, errmsg)


@pytest.mark.parametrize(
    ("errcode", "action", "kind"),
    [
        (-1, "retry", Retryable),
        (45033, "retry", Retryable),
        (42001, "refresh", Retryable),
        (45009, "rate", Retryable),
        (60020, "misconfigured", Retryable),
        (48007, "misconfigured", Retryable),
        (95001, "give_up", Undeliverable),
        (41050, "give_up", Undeliverable),
        (999999, "give_up", Undeliverable),
    ],
)
def test_a_code_says_what_to_do_next(errcode, action, kind):
    assert classify(errcode) == action
    error = as_channel_error(wecom_error(errcode, "text"))
    assert type(error) is kind
    assert str(error) == f"wecom_{errcode}"


@pytest.mark.parametrize(
    "errcode",
    [
        *(40001, 40013, 40056, 41048, 41050, 41051, 41093, 41094, 45009, 45033, 48002, 48007),
        *(60020, 60140, 84061, 95001, 95002, 95007, 95016, 95018),
    ],
)
def test_the_codes_people_meet_have_a_chinese_hint(errcode):
    assert any("\u4e00" <= c <= "\u9fff" for c in hint_for(errcode))
    assert hint_for(errcode) in str(wecom_error(errcode, "text"))


def test_whatever_somebody_must_mend_says_what_and_where() -> None:
    codes = [code for code in range(40_000, 1_000_000) if classify(code) == "misconfigured"]
    assert len(codes) > 20
    assert [code for code in codes if len(hint_for(code)) < 10] == []
