"""What just happened, one quiet sentence each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import groupby
from operator import itemgetter
from typing import Any

from bot.storage.ledger import Entry

_SHOWN = 40
_TONES = {
    "answer_red_flag": "harm",
    "complaint": "harm",
    "lead_escalated": "harm",
    "step_failed": "wait",
    "step_skipped": "wait",
    "step_put_off": "wait",
    "task_refused": "wait",
    "lead_warned": "wait",
    "task_created": "wait",
    "lead_taken": "done",
    "step_confirmed": "done",
    "draft_sent": "done",
    "draft_edited": "done",
    "answered_otherwise": "done",
    "reply_sent": "done",
}
REASONS = {
    "owner_unconfirmed": "群主一直没有点",
    "owner_declined": "群主今天不发",
    "platform_quota": "群主自己先群发过，当天的次数用完了",
    "precondition": "前提不满足，按剧本跳过",
    "window_missed": "时间窗过了",
    "weekly_cap": "这七天的企业群发已经够数",
    "daily_cap": "当天已经发过一条",
    "weekly_product_cap": "这七天已经发过产品内容",
    "marketing_refused": "客户不收营销，或者有人投诉，营销内容停发",
    "product_stopped": "这位客户的产品内容停发了",
    "approval_expired": "审批过期了，不发",
    "product_not_sold": "产品停售了，不发",
    "no_event": "网点没有排活动",
    "event_passed": "活动日子已经过了",
    "step_removed": "新文件里没有这一步了",
    "cancel_failed": "没能撤回群主的任务，请群主自己删掉",
    "script_stopped": "剧本停用了，不发",
    "in_doubt": "发没发出去说不准，请人工核对",
    "group_dismissed": "群已解散",
    "customer_refused": "客户不想再收",
    "asked_to_leave": "客户自己要退出",
    "customer_erased": "客户要求删除资料",
    "friend_lost": "客户删了客户经理",
    "customer_lost": "客户不再是任何人的好友",
    "lead_won": "客户已经办好了",
    "large_deposit": "客户已经转入大额资金",
}
_SENTENCES: Mapping[str, str] = {
    "entered": "「{name}」开始走剧本",
    "held_out": "「{name}」留作对照，不发",
    "task_created": "「{name}」的群发任务已建好，等群主点发送",
    "step_confirmed": "「{name}」这一步发到了",
    "step_skipped": "「{name}」跳过一步：{reason}",
    "step_failed": "「{name}」有一步没发成：{reason}",
    "step_put_off": "「{name}」这一步往后挪一天：{reason}",
    "task_refused": "群主点了发送，企业微信没让「{name}」收到：{reason}",
    "owner_reminded": "提醒了群主：群发助手里有待发的群发",
    "answer_approved": "有人问问题，已按审批过的原文答",
    "answer_written": "有人问问题，已按资料写好回答",
    "answer_declined": "没有把握的问题，如实说了，请人来答",
    "answer_red_flag": "听到危险信号，马上找人",
    "answer_handover": "客户想跟真人说，已转人工",
    "handed_over": "会话交给了人，小安不再说话",
    "answer_superseded": "客户又补了一句，没发出的回答收回，一起再答",
    "reply_taken_back": "没发出的回答收回了，不再发",
    "ticket_opened": "客户要找人，开了一张会话单",
    "ticket_answered": "同事在微信客服里说了第一句话",
    "given_back": "会话还给了小安，告诉了客户",
    "customer_invited": "请客户加客户经理或进群，由客户自己点",
    "waits_in_pool": "客户经理没在接待，客户在排队，已告诉网点",
    "session_rated": "客户给这次服务打了分",
    "left_to_person": "客户又说话了，有人在接，小安不插嘴",
    "person_spoke": "同事在微信客服里回了客户",
    "session_ended": "同事结束了会话，小安又可以答了",
    "lead_opened": "新线索：{need}",
    "lead_signal_added": "同一件事又说了一遍，记在原来的线索上",
    "lead_taken": "客户经理接手了线索",
    "lead_reassigned": "线索转派给了同事",
    "lead_invalid": "线索标记为无效",
    "lead_consented": "客户同意联系，线索交给客户经理",
    "lead_refused": "客户不用联系，线索关掉了",
    "lead_warned": "线索快到时限，提醒了客户经理",
    "lead_escalated": "线索超过时限，告诉了上一级",
    "lead_offered_again": "没人接手，转给了下一位同事",
    "lead_pooled": "没人能接，交给支行行长分派",
    "sla_missed": "线索超过了时限",
    "lead_won": "客户经理说：线索成交了",
    "lead_lost": "客户经理说：线索没成",
    "draft_made": "有人问，回话拟好了，等群主或客户经理点发送",
    "draft_sent": "拟好的回话发出去了",
    "draft_edited": "拟好的回话改了几个字，发出去了",
    "draft_dropped": "拟好的回话没用上",
    "draft_expired": "拟好的回话一天没人用，过期了",
    "draft_joined": "又有人问同一件事，记在同一条回话上",
    "draft_not_needed": "有人问，同事已经答了",
    "answered_otherwise": "同事自己答了，拟好的回话收起来",
    "teaching_proposed": "有几句问的是一件事、还没有答案，列进了要教的",
    "teaching_published": "新教的一条问答写进了文件",
    "late_joiners_told": "「{name}」来了新成员，补课的内容交给了群主",
    "late_joiners_caught_up": "「{name}」的新成员补上了课",
    "exited": "有一位退出了剧本：{reason}",
    "opted_out": "有人不想收营销消息，已记下，马上生效",
    "opted_in": "有人恢复接收消息",
    "slowed_down": "「{name}」嫌消息多，已放慢",
    "complaint": "「{name}」有人投诉，营销内容停发",
    "run_done": "「{name}」走完了剧本",
    "script_published": "剧本生效了",
    "group_dismissed": "「{name}」解散了",
    "reply_failed": "有一条回复没送到",
    "message_in_doubt": "有一条发没发出去说不准，列出来等人核对",
}


def sentence(entry: Entry, names: Mapping[str, str]) -> str | None:
    """Return what an entry of the ledger says to people; None for what nobody asks about."""
    pattern = _SENTENCES.get(entry.kind)
    if pattern is None:
        return None
    facts: dict[str, Any] = entry.facts
    return pattern.format(
        name=names.get(entry.subject, "客户群"),
        reason=reason_in_words(str(facts.get("reason", ""))),
        need=facts.get("need", ""),
    )


def feed_of(entries: Iterable[Entry], names: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return the latest sentences with their moments, newest first; a row of the same is one."""
    told = [(words, entry) for entry in entries if (words := sentence(entry, names)) is not None]
    feed = []
    for words, alike in groupby(told, key=itemgetter(0)):
        same = [entry for _, entry in alike]
        feed.append(
            {
                "id": same[0].id,
                "at": same[0].at.isoformat(),
                "text": f"{words}（{len(same)} 次）" if len(same) > 1 else words,
                "tone": tone(same[0].kind),
            }
        )
    return feed[:_SHOWN]


def reason_in_words(reason: str) -> str:
    """Return why a step was not sent, in words for ops."""
    return REASONS.get(reason, "没发成，请看台账")


def tone(kind: str) -> str:
    """Return the colour's meaning: info, wait, done or harm."""
    return _TONES.get(kind, "info")
