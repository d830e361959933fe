"""Between which channels a petitioner may choose, and what is said of each."""

import pytest

from nlp.choices import channels_to_choose
from nlp.knowledge import load_knowledge
from nlp.knowledge.citations import in_full
from nlp.petition import RouteOption
from nlp.taxonomy import load_taxonomy

WAGES = "工地包工头拖欠工资三个月,要求支付。"


def choices(text: str, channel: str, *, accused: bool = False) -> tuple[RouteOption, ...]:
    return channels_to_choose(
        text,
        channel=channel,
        department="县某局",
        accused=accused,
        knowledge=load_knowledge(),
        taxonomy=load_taxonomy(),
    )


@pytest.mark.parametrize("channel", ["statutory_duty", "arbitration"])
def test_the_channel_that_stands_is_first_and_none_is_lost(channel: str) -> None:
    first, *others = choices(WAGES, channel)
    assert first.channel == channel
    assert {first.channel, *(option.channel for option in others)} == {"statutory_duty", "arbitration"}


def test_every_choice_says_to_whom_by_when_on_what_basis_and_what_follows() -> None:
    inspection, arbitration = choices(WAGES, "statutory_duty")
    assert inspection.to == load_taxonomy().name("department", "human_resources_social_security")
    assert inspection.basis.startswith("条例31条(五)；农民工工资条例10条")
    assert arbitration.basis.startswith("条例31条(二)；劳动争议调解仲裁法")
    assert "60个工作日（《劳动保障监察条例》第17条）" in inspection.limit
    assert arbitration.to == "劳动人事争议仲裁委员会"
    assert "12个月（《劳动争议调解仲裁法》第27条）" in arbitration.limit
    assert all("21条2款" in option.effect for option in (inspection, arbitration))


def test_a_standing_channel_of_which_the_matter_says_nothing_is_told_by_its_route() -> None:
    standing, *others = choices(WAGES, "petition_procedure")
    assert (standing.channel, standing.to) == ("petition_procedure", "县某局")
    assert "60日（自然日）（《信访工作条例》第34条）" in standing.limit
    assert len(others) == 2


def test_a_time_limit_that_has_been_overtaken_is_left_to_a_person() -> None:
    decided = "县政府作出征收补偿决定,补偿太低,我不服。"
    suit = choices(decided, "administrative_procedure")[1]
    assert "6个月（《行政诉讼法》第46条）" in suit.limit
    judged = choices(decided + "行政判决书驳回了我的请求。", "administrative_procedure")[1]
    assert (judged.channel, judged.limit) == (suit.channel, "")
    assert choices("路灯不亮,收到信访处理意见书,我不服。", "petition_procedure")[0].limit == ""


def test_what_is_not_open_leaves_nothing_to_choose() -> None:
    assert [option.channel for option in choices(WAGES, "judicial_procedure")] == ["judicial_procedure"]
    assert len(choices("村口路灯不亮。", "petition_procedure")) == 1


def test_an_accusation_is_no_alternative() -> None:
    text = "村干部贪污,村务不公开账目,请求责令公开。"
    assert "accusation_handling" not in {option.channel for option in choices(text, "statutory_duty", accused=True)}
    assert len(choices(text, "accusation_handling", accused=True)) == 1
    assert len(choices("请修路,干部滥用职权。", "petition_procedure", accused=True)) == 1


@pytest.mark.parametrize(
    ("short", "full"),
    [
        ("条例31条(五)", "《信访工作条例》第31条第(五)项"),
        ("条例22条1款", "《信访工作条例》第22条第1款"),
        ("条例30条、22条末款", "《信访工作条例》第30条、第22条末款"),
        ("消保法39条(三)、46条", "《消费者权益保护法》第39条第(三)项、第46条"),
        ("劳动争议调解仲裁法2、5、27条", "《劳动争议调解仲裁法》第2、5、27条"),
        ("征收条例14、26条；行诉法46条", "《国有土地上房屋征收与补偿条例》第14、26条；《行政诉讼法》第46条"),
        ("另一条不得再走（行政复议法29条）", "另一条不得再走（《行政复议法》第29条）"),
        ("《信访工作条例》第31条(六)", "《信访工作条例》第31条(六)"),
        ("地方工作方案", "地方工作方案"),
    ],
)
def test_citations_are_written_out(short: str, full: str) -> None:
    assert in_full(short) == full
    assert in_full(full) == full
