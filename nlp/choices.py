"""Between which legal channels a petitioner may choose, the one that stands included."""

from dataclasses import replace

from nlp.accused import ACCUSATION
from nlp.deadlines import limits_in_words
from nlp.knowledge import Knowledge, Route
from nlp.petition import RouteOption
from nlp.routes import closed_channels, open_channels, open_matters
from nlp.rules.matters import find_matters
from nlp.taxonomy import Taxonomy


def channels_to_choose(
    text: str, *, channel: str, department: str, accused: bool, knowledge: Knowledge, taxonomy: Taxonomy
) -> tuple[RouteOption, ...]:
    """Return the channels open for a masked `text` under the `channel` that stands, that one first.

    Of fewer than two there is nothing to choose. `department` is the name of the one that stands; `accused` says that
    the text accuses an official. An accusation is registered apart and no alternative to anything (条例30条).
    """
    found = find_matters(text, knowledge=knowledge)
    matters = [
        matter
        for matter in open_matters(found, channel, knowledge, accused=accused)
        if any(option.channel != ACCUSATION for option in matter.options)
    ]
    routes = {route.code: route for route in knowledge.routes}
    offered = {
        option.channel: _with_route(option, routes[option.channel])
        for option in open_channels(matters, knowledge, taxonomy, told=found.told)
    }
    for closed in {ACCUSATION, *closed_channels(found) - {channel}}:
        offered.pop(closed, None)
    standing = offered.pop(channel, None)
    if standing is None:
        route = routes[channel]
        standing = RouteOption(
            channel=channel,
            name=taxonomy.name("channel", channel),
            basis=route.basis,
            certainty=route.certainty,
            note=route.note,
            effect=matters[0].effect if matters else "",
            to=department,
            limit=limits_in_words(route.clocks, knowledge, told=found.told),
        )
    elif not standing.to:
        standing = replace(standing, to=department)
    return (standing,) if channel == ACCUSATION else (standing, *offered.values())


def _with_route(option: RouteOption, route: Route) -> RouteOption:
    """Add the article that opens the channel at all to those of the matter."""
    if option.basis.startswith("条例"):
        return option
    return replace(option, basis=f"{route.basis}；{option.basis}")
