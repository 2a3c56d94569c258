"""What is shown of one answer in the terminal, in blocks of aligned rows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

Rows = list[tuple[str, ...]]

_NOT_SAID = {
    "other_customer": "问的是别人的账户",
    "own_account": "问的是自己账户里的数",
    "prediction": "要猜涨跌",
    "advice": "要推荐产品，交给客户经理",
    "unsuitable": "产品不适合这位客户，交给客户经理",
    "medical": "看病吃药的事",
    "legal": "法律、税务的事",
    "out_of_scope": "不是银行里的事",
    "chitchat": "闲聊",
    "no_evidence": "没找到有把握的依据",
    "search_failed": "查资料时出错了",
    "index_not_ready": "资料还在做索引",
    "not_sendable": "找到了，但有变量没有值，或碰了用词规矩",
    "model_found_nothing": "大模型说资料里没有",
    "model_too_slow": "大模型太慢，用了审批过的原文",
    "model_failed": "大模型出错，用了审批过的原文",
    "asked_for_a_person": "要找真人",
}
_CHECKS = {
    "guard": "大模型的话",
    "suitability": "适当性",
    "outside": "问的是什么",
    "rewriting": "补全问句",
}
_VERDICTS = {
    "passed": "通过",
    "over_65": "65 岁以上或年龄不明，R3 以上不由程序讲",
    "no_consent": "没有同意，或不知道同意没有",
    "assessment_expired": "没有有效的风险测评",
    "risk_too_high": "产品风险高于承受能力",
    "refused": "大模型补全的问句不能用",
    "model_failed": "大模型没有按时补全",
    "uncited": "没写出处",
    "unknown_citation": "出处的编号不存在",
    "unknown_figure": "有资料里没有的数字",
    "ungrounded": "资料里没有这样说",
}
_STAGES = {
    "trouble": "先听有没有险情",
    "embed": "问句变向量",
    "nearest": "向量检索",
    "second": "第二模型打分",
    "search": "字面检索、排序",
    "rerank": "重排模型",
    "model": "大模型",
    "guard": "用词校验",
    "rest": "其余（拆问句、写词）",
}


def blocks_of(told: dict[str, Any]) -> Iterator[tuple[str, Rows]]:
    """Give each block with its title; what there is nothing to say of is left out."""
    yield "怎么答的", list(_answer(told))
    for evidence in told["evidence"]:
        if evidence["hits"]:
            yield _found(evidence, told["threshold"]), _hits(evidence["hits"])
    if told["excluded"]:
        hidden: Rows = [(one["document"], one["title"], one["why"]) for one in told["excluded"]]
        yield "像是相关、但没给看的", hidden
    yield "用时（毫秒）", list(_timings(told["timings_ms"]))


def _answer(told: dict[str, Any]) -> Iterator[tuple[str, ...]]:
    yield "类别", told["kind_in_words"]
    if told["reason"]:
        reason = told["reason"].removeprefix("partly:")
        partly = "有一问没答上：" if reason != told["reason"] else ""
        yield "原因", partly + _NOT_SAID.get(reason, reason)
    yield "把握", f"{told['probability']:.2f}（到 {told['threshold']:.2f} 才答）"
    yield "模型", "、".join(filter(None, (told["models"], told["model"])))
    if told["customer"]:
        yield "客户", _customer(told["customer"])
    for source in told["sources"]:
        named = " ".join(filter(None, (source["title"], source["section"])))
        yield "出处", f"{named}  {source['where']}  {source['version']}"
    for check, verdict in dict.fromkeys((one["check"], one["verdict"]) for one in told["verdicts"]):
        said = "、".join(_said(one) for one in verdict.split(","))
        yield _CHECKS.get(check, check), said


def _customer(customer: dict[str, Any]) -> str:
    age = f"{customer['age']:g} 岁" if customer["age"] is not None else "年龄不明"
    assessed = f"{customer['assessed_on']} 测评" if customer["assessed_on"] else "没有测评"
    consents = "同意营销" if customer["consents"] else "没有营销同意"
    talk = f"记得刚才 {customer['turns_remembered']} 句" if customer["turns_remembered"] else ""
    facts = (customer["grade"] or "承受能力不明", assessed, age, consents, talk)
    return f"{customer['name']}  {'，'.join(filter(None, facts))}"


def _said(verdict: str) -> str:
    return _VERDICTS.get(verdict) or _NOT_SAID.get(verdict) or verdict


def _found(evidence: dict[str, Any], threshold: float) -> str:
    enough = "够" if evidence["probability"] >= threshold else "不够"
    return f"按「{evidence['sought']}」找到的，把握 {evidence['probability']:.2f}，{enough}"


def _hits(hits: list[dict[str, Any]]) -> Rows:
    rows: Rows = [("编号", "总分", "向量", "字面", "第二模型", "重排", "资料")]
    for hit in hits:
        named = " · ".join(dict.fromkeys(filter(None, (hit["title"], hit["section"]))))
        figures = (hit["score"], hit["dense"], hit["lexical"], hit["second"], hit["reranker"])
        rows.append((hit["document"], *map(_figure, figures), named))
    return rows


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _timings(spent: dict[str, float]) -> Iterator[tuple[str, ...]]:
    yield "一共", f"{spent['total']:.1f}"
    for stage, words in _STAGES.items():
        if stage in spent:
            yield words, f"{spent[stage]:.1f}"
