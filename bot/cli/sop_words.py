"""What the engine's own words for reasons, moves and ends are called for people of ops."""

from __future__ import annotations

from datetime import date

WEEKDAYS = "一二三四五六日"
REASONS = {
    "already_welcomed": "别的程序已经发过欢迎语",
    "anchor_unknown": "不知道起算的日子",
    "approval_expired": "审批已过期或没有审批",
    "asked_to_leave": "客户要求退出",
    "customer_erased": "客户要求删除资料",
    "asked_to_stop": "客户要求停下",
    "assessment_expired": "风险测评过期或没有",
    "audience": "不符合「适用」",
    "audience_unknown": "资料不全，看不出符不符合「适用」",
    "calendar_unknown": "放假安排还没公布，等着",
    "cancel_failed": "到点没能撤回，可能还会被点发",
    "cannot_attach_text": "附件发不出去",
    "closed": "那天没有能发的时段",
    "complaint": "投诉了",
    "consent": "没有营销同意",
    "consent_unknown": "不知道有没有营销同意",
    "contactable": "联系不上：不是好友，或同事不在岗",
    "contactable_unknown": "不知道能不能联系上",
    "customer_lost": "已不是任何同事的好友",
    "customer_refused": "客户拒收",
    "customer_rejected": "客户拒收客服消息",
    "daily_cap": "当天已有一条企业群发",
    "drained": "停止进入，不再有新的",
    "dropped": "被人在 zhilin work 里放弃",
    "earlier_step": "跟着前一步往后推",
    "entered_before": "以前进过，不能再进",
    "event_passed": "它跟着的日子(活动、到期日等)已经过了",
    "exclusion": "符合「排除」",
    "exclusion_unknown": "资料不全，看不出该不该排除，按排除算",
    "exclusive": "同一互斥组里有更要紧的剧本在走",
    "fatigue": "连着几条没有回应，先少发",
    "file_missing": "文件不见了",
    "file_size_refused": "文件大小企业微信不收",
    "five_messages_used": "客服 48 小时内已回满 5 条",
    "friend_lost": "删了好友",
    "greetings_only": "只收节日问候",
    "group_dismissed": "群已解散",
    "group_not_marketable": "这个群不发营销",
    "held_out": "留白",
    "in_doubt": "断在半路，不知道发没发出去",
    "large_deposit": "已大额入金",
    "left_in_peace": "投诉或家里有丧事，30 天内不推产品",
    "late": "在补发的时限内补发",
    "lead_won": "线索已成交",
    "manager_left_out": "朋友圈任务没有到这位同事手里",
    "marketing_refused": "不再收营销类",
    "max_duration": "走满最长天数",
    "monthly_cap": "这 30 天的次数已满",
    "moved_a_day": "顺延一天",
    "moved_out": "换版本时到此结束",
    "newest_only": "错过几次，只补最近一次",
    "no_archive_consent": "客户没有同意会话存档",
    "no_consent": "没有营销同意",
    "no_date": "资料里没有这个日子",
    "repeat_over": "重复的期限过了",
    "no_day_left": "期限内没有合适的日子",
    "no_event": "网点没有排活动",
    "no_room": "次数已满，往后挪",
    "no_session": "客户没有打开过客服",
    "no_words": "没有文字可发",
    "not_a_holiday": "不是节假日",
    "not_approved": "还没有审批",
    "nobody_has_session": "会话已经不在同事那里",
    "not_friend": "已不是好友",
    "not_in_upgrade_range": "管理后台的「升级服务」里没有这位同事或这个群",
    "not_made": "查明没有发出，重新发",
    "not_yet_due": "还没到时间",
    "over_65": "65 岁以上或年龄不明，不推产品",
    "overlay": "当天让给节日祝福",
    "owner_changed": "换了群主",
    "owner_declined": "同事选了不发",
    "owner_unconfirmed": "同事一直没点发送",
    "paused": "暂停中",
    "person_has_session": "同事正在和客户聊",
    "picture_missing": "图片不见了",
    "platform_quota": "企业微信的群发次数已满",
    "precondition": "前提不满足",
    "product_not_sold": "产品已下架",
    "product_stopped": "不再收产品类",
    "product_too_risky": "产品风险等级不明，或高于「产品风险最高」",
    "quiet_hours": "落在静默时段",
    "refused_by_wecom": "企业微信拒绝",
    "reply_window_closed": "客服 48 小时窗口已关",
    "rest_day": "休息日不发",
    "risk_too_high": "产品风险高于客户等级",
    "run_ended": "已经退出剧本",
    "running": "正在走这个剧本",
    "script_gone": "剧本已经没有了",
    "script_stopped": "剧本已停用",
    "session_ended": "客服会话已结束",
    "shifted": "后面的步骤一起顺延",
    "step_removed": "新版里没有这一步",
    "spoken_meanwhile": "又有人说话了，先不动",
    "stopped": "自动发送停着",
    "superseded": "让给更要紧的剧本",
    "taken_by_person": "同事已经接手",
    "task_overdue": "同事没有按时办",
    "terminated": "被终止",
    "throttled": "今天进入的已满，排着",
    "timeout": "等到时限",
    "too_soon": "离上次进入还不够久",
    "total_limit": "超过「总数最多」",
    "unknown_tag": "企业微信里没有这个标签",
    "video_missing": "视频不见了",
    "way_not_supported": "这种发送方式对不上这类对象",
    "weekly_cap": "这七天的次数已满",
    "weekly_product_cap": "这七天已有一条产品内容",
    "welcome_too_late": "欢迎语超过 20 秒",
    "window_missed": "错过发送时间",
    "withdrawn": "这段文字已下架",
}
MOVED = {
    "rest_day": "碰上休息日",
    "overlay": "当天让给节日祝福",
    "daily_cap": "当天已有一条企业群发",
    "weekly_cap": "任意七天的群发次数已满",
    "earlier_step": "跟着前一步往后推",
    "closed": "那天没有能发的时段",
    "later": "前一步晚了、次数满了，或进来得晚",
}
STATES = {
    "planned": "未到时间",
    "queued": "待发出",
    "waiting": "等同事点发送",
    "confirmed": "已送到",
    "skipped": "跳过",
    "failed": "没发成",
    "running": "还在走",
    "done": "走完",
    "exited": "中途退出",
    "held_out": "留白",
}


def in_words(reason: str) -> str:
    """Return what a reason is called; one without a name of its own stays as it is."""
    if reason.startswith("no_value:"):
        return f"「{{{reason.removeprefix('no_value:')}}}」没有值可填"
    if reason.startswith("wecom_"):
        return f"企业微信错误码 {reason.removeprefix('wecom_')}"
    return REASONS.get(reason, reason)


def short_day(day: date) -> str:
    """Return a day as ops read it in a table: 10-12 周一."""
    return f"{day:%m-%d} 周{WEEKDAYS[day.weekday()]}"


def clock_day(day: date) -> str:
    """Return a whole day: 2026-10-12 周一."""
    return f"{day} 周{WEEKDAYS[day.weekday()]}"
