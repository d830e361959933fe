import json
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from nlp.knowledge import Knowledge, load_knowledge
from nlp.petition import Head, Masked, Petition, Scores
from nlp.prepare import prepare
from nlp.routes import Routing, combine
from nlp.rules import find_firings
from nlp.taxonomy import Taxonomy, load_taxonomy

REFUSALS = ("不予受理", "不再受理", "只登记", "只作登记", "不受理")


@cache
def compiled_once() -> Knowledge:
    return load_knowledge()


@pytest.fixture(scope="module")
def knowledge() -> Knowledge:
    return compiled_once()


@pytest.fixture(scope="module")
def taxonomy() -> Taxonomy:
    return load_taxonomy()


def scores(taxonomy: Taxonomy, *, confidence: float = 0.7, **best: str) -> Scores:
    """Scores in which the named label of a head has `confidence` and the others share the rest."""
    probabilities = {}
    heads: tuple[Head, ...] = ("nature", "channel", "department")
    for head in heads:
        labels = taxonomy.labels[head]
        values = np.full(len(labels), (1 - confidence) / (len(labels) - 1), dtype=np.float32)
        values[labels.index(best[head])] = confidence
        probabilities[head] = values
    return Scores(probabilities=probabilities)


def route(
    text: str,
    *,
    nature: str = "request",
    channel: str = "petition_procedure",
    department: str = "housing_urban_rural_development",
    confidence: float = 0.7,
) -> Routing:
    knowledge, taxonomy = compiled_once(), load_taxonomy()
    masked = Masked(text=text, origin=tuple(range(len(text))))
    return combine(
        masked,
        scores(taxonomy, nature=nature, channel=channel, department=department, confidence=confidence),
        labels=taxonomy.labels,
        knowledge=knowledge,
        firings=find_firings(masked, knowledge=knowledge),
    )


def keys(routing: Routing) -> set[str]:
    return {reason.key for reason in routing.reasons}


def test_without_contradiction_the_model_stands() -> None:
    routing = route("希望在小区门口修一条人行道。")
    assert routing.channel.best.code == "petition_procedure"
    assert routing.channel.best.confidence == pytest.approx(0.7)
    assert routing.department.best.code == "housing_urban_rural_development"
    assert routing.legal_basis.startswith("《信访工作条例》第31条(六)")
    assert not {"rule_conflict:channel", "rule_conflict:department"} & keys(routing)


def test_candidates_are_the_models_in_order_and_few() -> None:
    routing = route("希望修路。")
    confidences = [candidate.confidence for candidate in routing.channel.candidates]
    assert len(confidences) == 5
    assert confidences == sorted(confidences, reverse=True)


def test_an_award_excludes_arbitration_anew() -> None:
    routing = route("不服仲裁裁决书,公司还是不给经济补偿。", channel="arbitration")
    assert routing.channel.best.code == "judicial_procedure"
    (message,) = [r.message for r in routing.reasons if r.key == "rule_conflict:channel"]
    assert "仲裁程序" in message
    assert "涉法涉诉程序" in message
    assert "条" in message


JUDGED = "法院已经判决我胜诉,申请强制执行两年,执行局一直不执行。"


def test_a_plain_court_case_gets_no_fresh_procedure_of_the_same_kind() -> None:
    routing = route(JUDGED, channel="administrative_procedure")
    assert routing.channel.best.code == "judicial_procedure"
    assert "rule_conflict:channel" in keys(routing)


@pytest.mark.parametrize(
    ("text", "channel", "confidence"),
    [
        ("邻居家的案子胜诉了,我要求撤销处罚。", "administrative_procedure", 0.7),
        (JUDGED, "administrative_procedure", 0.97),
        (JUDGED, "statutory_duty", 0.7),
    ],
    ids=["one sign", "a model that is certain", "nothing of the same kind"],
)
def test_where_a_court_case_leaves_doubt_both_sides_are_told_and_a_person_decides(text, channel, confidence) -> None:
    routing = route(text, channel=channel, confidence=confidence)
    assert routing.channel.best.code == channel
    assert "rule_conflict:channel" in keys(routing)


@pytest.mark.parametrize(
    ("text", "channel"),
    [
        ("不服公司辞退决定申请劳动仲裁", "arbitration"),
        ("我不服单位开除申请仲裁", "arbitration"),
        ("请求行政复议撤销该处罚", "administrative_procedure"),
        ("请求复议机关撤销该处罚", "administrative_procedure"),
        ("我不服处罚决定要复议", "administrative_procedure"),
        ("对交通事故责任认定不服,请求复核", "administrative_procedure"),
    ],
)
def test_who_only_applies_has_no_award_and_no_decision_yet(text: str, channel: str) -> None:
    routing = route(text, channel=channel)
    assert routing.channel.best.code == channel
    assert "rule_conflict:channel" not in keys(routing)


@pytest.mark.parametrize(
    ("text", "channel"),
    [
        ("申请劳动仲裁被驳回,公司不给补偿", "arbitration"),
        ("不服市政府复议决定", "administrative_procedure"),
        ("复议机关维持了处罚", "administrative_procedure"),
        ("申请复议后被维持", "administrative_procedure"),
    ],
)
def test_an_award_or_a_decision_that_was_given_leads_to_court(text: str, channel: str) -> None:
    assert route(text, channel=channel).channel.best.code == "judicial_procedure"


@pytest.mark.parametrize(
    ("text", "basis"),
    [
        ("民警当场罚款200元,我要起诉", "行政复议法23条(一)"),
        ("县政府把我家的林地划给别人,我要起诉", "行政复议法23条(二)"),
        ("城管拆错了,行政赔偿要起诉", "国家赔偿法9条"),
        ("冤狱赔偿要起诉", ""),
    ],
)
def test_what_must_come_before_court_is_told_with_its_article(text: str, basis: str) -> None:
    told = [r.message for r in route(text, channel="judicial_procedure").reasons if r.key == "rule_conflict:channel"]
    assert [basis in message for message in told] == [True] * bool(basis)


def test_a_fire_is_no_traffic_accident() -> None:
    fire = route("对火灾事故认定不服,申请复核", channel="administrative_procedure", department="fire_rescue")
    assert "fire_accident" in fire.matters
    assert "traffic_accident" not in fire.matters
    assert "火灾事故调查规定35条" in fire.legal_basis
    assert "traffic_accident" not in route("工伤事故认定迟迟不办", channel="administrative_procedure").matters
    assert "traffic_accident" in route("对交通事故认定不服", channel="administrative_procedure").matters


def test_questions_and_suggestions_are_not_pulled_into_court() -> None:
    routing = route("请问法院判决后申请强制执行,执行局多久立案?", nature="consultation", channel="consultation_reply")
    assert routing.channel.best.code == "consultation_reply"
    assert "rule_conflict:channel" not in keys(routing)


def test_labour_disputes_go_to_arbitration_before_court() -> None:
    routing = route("公司拖欠工资,我想起诉公司。", channel="judicial_procedure")
    assert "rule_conflict:channel" in keys(routing)
    assert any("劳动争议先仲裁" in reason.message for reason in routing.reasons)
    after = route("法院已经判决,公司拖欠工资,我起诉后胜诉。", channel="judicial_procedure")
    assert not any("劳动争议先仲裁" in reason.message for reason in after.reasons)


def test_nature_and_channel_must_fit() -> None:
    routing = route("希望修路。", nature="suggestion")
    assert "rule_conflict:nature" in keys(routing)
    assert any("条例29、30、31条" in reason.message for reason in routing.reasons)


def test_parallel_channels_are_offered_with_effect_and_left_to_the_petitioner() -> None:
    routing = route("工地拖欠工资八个月,请劳动监察查处。", channel="statutory_duty")
    options = {option.channel: option for option in routing.alternatives}
    assert routing.channel.best.code == "statutory_duty"
    assert "劳动争议调解仲裁法" in options["arbitration"].basis
    assert "21条" in options["arbitration"].effect
    assert options["arbitration"].certainty == "verified"
    assert "multi_route:unpaid_wages" in keys(routing)
    assert any("由其选择" in reason.message for reason in routing.reasons)
    assert "农民工工资条例10条" in routing.legal_basis


def test_a_choice_that_is_only_inferred_is_offered_without_forcing_review() -> None:
    routing = route("建议在我们小区门口增设公交站。")
    assert {option.channel for option in routing.alternatives} == {"suggestion_handling"}
    assert not any(reason.code == "multi_route" for reason in routing.reasons)


def test_accusations_go_to_those_who_may_handle_them() -> None:
    routing = route("举报教育局局长受贿。", nature="disclosure", channel="accusation_handling", department="education")
    assert routing.department.best.code == "discipline_supervision"
    assert any("条例30条3款" in reason.message for reason in routing.reasons)
    assert all(candidate.code != "education" for candidate in routing.co_departments)


def test_village_officials_bring_in_the_township_but_town_officials_do_not() -> None:
    village = route(
        "举报村支书贪污征地款。",
        nature="disclosure",
        channel="accusation_handling",
        department="discipline_supervision",
    )
    assert [candidate.code for candidate in village.co_departments] == ["town_subdistrict"]
    town = route(
        "举报镇长和村支书贪污征地款。",
        nature="disclosure",
        channel="accusation_handling",
        department="discipline_supervision",
    )
    assert town.co_departments == ()


def accusation(text: str) -> Routing:
    return route(text, nature="disclosure", channel="accusation_handling", department="discipline_supervision")


@pytest.mark.parametrize(
    "text",
    [
        "举报村支书和镇里的领导一起侵占集体资金",
        "举报村支书和镇财政所的人侵占集体资金",
        "举报社区主任和街道办事处主任串通贪污",
    ],
)
def test_no_township_is_proposed_where_its_people_are_accused_with_the_village(text: str) -> None:
    assert accusation(text).co_departments == ()


def test_a_township_that_only_stands_in_the_address_is_proposed() -> None:
    routing = accusation("举报石桥镇李家村村支书贪污征地款")
    assert [candidate.code for candidate in routing.co_departments] == ["town_subdistrict"]


@pytest.mark.parametrize("text", ["举报县纪委书记收受贿赂", "举报县纪委监委主任滥用职权"])
def test_accusations_of_the_discipline_organs_own_people_go_one_level_up(text: str) -> None:
    assert any("径送上一级纪检监察机关" in reason.message for reason in accusation(text).reasons)


@pytest.mark.parametrize(
    "text", ["请县纪委查处村支书贪污", "向纪委举报村主任贪污", "尊敬的纪委领导:您好,举报村支书贪污"]
)
def test_addressing_the_discipline_organ_accuses_none_of_its_people(text: str) -> None:
    assert not any("径送上一级" in reason.message for reason in accusation(text).reasons)


def test_the_accused_unit_is_pointed_out_in_other_channels() -> None:
    routing = route("教育局局长收受红包,孩子入学被卡,请解决入学。", department="education")
    assert any("被检举人所在单位" in reason.message for reason in routing.reasons)
    assert "accusation_handling" in {option.channel for option in routing.alternatives}


@pytest.mark.parametrize(
    "text",
    [
        "举报县教育局包庇无证培训班,怀疑有人受贿。",
        "县教育局收受培训班好处,孩子没处上学。",
        "请纪委彻查教育局,入学名额都是内定的,有人受贿。",
    ],
)
def test_a_body_that_is_itself_accused_is_pointed_out(text: str) -> None:
    routing = route(text, department="education")
    assert any("可能就是被检举人所在单位" in reason.message for reason in routing.reasons)


@pytest.mark.parametrize(
    "text", ["县医保局窗口人员收了我两千块钱,卡也没办。", "住建局质监站的人收了开发商的好处,楼板裂了也说合格。"]
)
def test_staff_who_took_money_are_accused_without_any_word_of_accusation(text: str) -> None:
    routing = route(text, department="housing_urban_rural_development", confidence=0.99)
    assert any("被检举" in reason.message for reason in routing.reasons)


@pytest.mark.parametrize(
    "text",
    ["举报县长插手工程,收了老板好处", "县委书记收受贿赂,请上级查处", "举报县纪委监委驻教育局纪检组长索要财物"],
)
def test_accusations_of_county_leaders_go_one_level_up(text: str) -> None:
    assert any("径送上一级" in reason.message for reason in accusation(text).reasons)


@pytest.mark.parametrize(
    "text", ["尊敬的县长:村支书贪污低保款,请查处", "请县委书记严查村支书贪污", "向县长举报村支书贪污"]
)
def test_a_leader_who_is_asked_for_help_is_not_accused(text: str) -> None:
    assert not any("径送上一级" in reason.message for reason in accusation(text).reasons)


def test_where_somebody_is_accused_the_clerk_is_asked_to_check_before_sending() -> None:
    routing = route("村支书收受好处,低保名额都给了亲戚,请教育局帮孩子解决入学。", department="education")
    messages = [reason.message for reason in routing.reasons]
    assert any("前先核对被检举的是不是它或其下级的人" in message for message in messages)
    assert not any("可能就是被检举人所在单位" in message for message in messages)
    quiet = route("请教育局帮孩子解决入学。", department="education")
    assert not any("检举" in reason.message for reason in quiet.reasons)


def test_a_plain_scene_decides_the_department() -> None:
    routing = route("电梯天天困人,物业不修。")
    assert routing.department.best.code == "market_regulation"
    assert any("特种设备安全法" in reason.message for reason in routing.reasons)
    aside = route(
        "小区绿化没人管,垃圾成堆,物业费年年涨,业委会换届也不公开,去年街道说要整改,到今年还是一直拖着没有任何说法,另外电梯困人。"
    )
    assert aside.department.best.code == "housing_urban_rural_development"


@pytest.mark.parametrize(
    ("text", "channel", "told"),
    [
        ("老板拖欠加班费,我决定下周到区法院立案起诉他。", "judicial_procedure", "劳动争议调解仲裁法5条"),
        ("申请公开低保名单,民政局不予公开,我要去法院告民政局。", "judicial_procedure", "行政复议法23条(四)"),
        ("税务局多征我契税三万元,我不服,想直接起诉税务局。", "administrative_procedure", "税收征收管理法88条"),
        ("林权证被县政府撤销,划给了隔壁村,不服这个撤销决定。", "administrative_procedure", "行政复议法23条(二)"),
    ],
)
def test_what_must_come_first_is_told_even_to_who_only_intends_to_sue(text: str, channel: str, told: str) -> None:
    assert any(told in reason.message for reason in route(text, channel=channel).reasons)


def test_what_came_first_already_is_not_asked_for_again() -> None:
    text = "老板拖欠加班费,仲裁裁决书下来了,不服裁决,已向法院起诉。"
    assert not any("须先核" in reason.message for reason in route(text, channel="judicial_procedure").reasons)


def test_where_the_law_has_changed_the_channel_a_person_looks_at_the_department() -> None:
    text, model = "劳动仲裁裁决书已经下来了,我不服裁决。", "human_resources_social_security"
    routing = route(text, channel="arbitration", department=model)
    assert (routing.channel.best.code, routing.department.best.code) == ("judicial_procedure", model)
    assert any("是否仍为承办单位" in reason.message for reason in routing.reasons)


def test_a_pending_reconsideration_leaves_no_suit_to_choose() -> None:
    text = "对房屋征收补偿决定不服。"
    offered = {option.channel for option in route(text, channel="administrative_procedure").alternatives}
    assert "judicial_procedure" in offered
    pending = route(text + "已经申请行政复议,复议机关已受理,还没出结果。", channel="administrative_procedure")
    assert "judicial_procedure" not in {option.channel for option in pending.alternatives}
    assert any("29条" in reason.message for reason in pending.reasons)


def test_who_asks_for_a_review_of_an_answer_is_seen_by_a_person() -> None:
    routing = route("收到信访处理意见书,不服,要求复查。", channel="petition_procedure", department="petition_bureau")
    assert "must_review:petition_opinion_given" in keys(routing)


def test_neighbours_of_a_scene_assist() -> None:
    routing = route("KTV噪音扰民,半夜不停。", channel="statutory_duty", department="urban_management")
    assert [candidate.code for candidate in routing.co_departments] == ["public_security"]


def test_matters_are_named_for_the_deadlines() -> None:
    assert "unpaid_wages" in route("拖欠工资不给。", channel="statutory_duty").matters


def test_the_offices_own_names_are_used(taxonomy: Taxonomy, tmp_path: Path) -> None:
    overlay = tmp_path / "office.yaml"
    overlay.write_text("office: 某县\ndepartments:\n  urban_management: {name: 县综合执法局}\n", encoding="utf-8")
    masked = Masked(text="占道经营。", origin=tuple(range(5)))
    routing = combine(
        masked,
        scores(taxonomy, nature="request", channel="statutory_duty", department="urban_management"),
        labels=taxonomy.labels,
        knowledge=compiled_once(),
        firings=(),
        taxonomy=load_taxonomy(overlay),
    )
    assert routing.department.best.name == "县综合执法局"


def test_no_output_says_or_implies_a_refusal(knowledge: Knowledge, taxonomy: Taxonomy) -> None:
    lines = (Path(__file__).parents[2] / "datasets" / "rules" / "sentences.jsonl").read_text(encoding="utf-8")
    texts = [json.loads(line)["text"] for line in lines.splitlines()][::5]
    texts += ["已经收到复核意见书,仍不服。", "信访局说不再受理我的事。", "法院已终审判决。"]
    for number, text in enumerate(texts):
        masked = prepare(Petition(text=text))
        channel = taxonomy.labels["channel"][number % 9]
        routing = combine(
            masked,
            scores(taxonomy, nature="request", channel=channel, department="people_court"),
            labels=taxonomy.labels,
            knowledge=knowledge,
            firings=find_firings(masked, knowledge=knowledge),
        )
        said = [reason.message for reason in routing.reasons]
        said += [routing.legal_basis, *(f"{o.name}{o.basis}{o.note}{o.effect}" for o in routing.alternatives)]
        assert not [word for word in REFUSALS for sentence in said if word in sentence], text


def test_every_channel_has_a_legal_basis(taxonomy: Taxonomy) -> None:
    for channel in taxonomy.labels["channel"]:
        assert "条" in route("希望修路。", channel=channel).legal_basis
