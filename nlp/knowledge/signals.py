"""Signals: the regular expressions of the rule files, with word groups written as `{group}`."""

import re
from collections.abc import Iterable, Mapping

NUMBER = r"(?>\d[\d,]*(?:\.\d+)?万?|[一二两三四五六七八九十百千万几数上近]{1,6}+)[多余来几]?"
"""A count as citizens write it: 300, 3,000, 2万, 三百多, 十几, 数十, 上百."""

_BUILT_IN = {"number": NUMBER, "count": f"(?P<count>{NUMBER})"}
"""`{count}` is the number that a clue's `at_least` looks at; at most one per signal."""

_GROUP = re.compile(r"\{([a-z_]+)\}")


def expand(signal: str, words: Mapping[str, tuple[str, ...]]) -> str:
    """Return the regular expression of one signal; `{number}` and `{count}` are counts, other names word groups.

    Raises KeyError for an unknown group.
    """

    def group(match: re.Match[str]) -> str:
        name = match.group(1)
        if name in _BUILT_IN:
            return _BUILT_IN[name]
        longest_first = sorted(words[name], key=len, reverse=True)
        return "(?:" + "|".join(longest_first) + ")"

    return _GROUP.sub(group, signal)


def groups_in(signal: str) -> set[str]:
    """Return the names in braces in one signal, without the built-in counts."""
    return set(_GROUP.findall(signal)) - _BUILT_IN.keys()


def any_of(signals: Iterable[str], words: Mapping[str, tuple[str, ...]]) -> str:
    """Return one regular expression that matches any of `signals`, in their order."""
    return "|".join(f"(?:{expand(signal, words)})" for signal in signals)


def faults_of(signals: Iterable[str], words: Mapping[str, tuple[str, ...]]) -> list[str]:
    """Return what is wrong with `signals`, one Chinese sentence each."""
    faults = []
    for signal in signals:
        try:
            pattern = re.compile(expand(signal, words))
        except KeyError as error:
            group = error.args[0]
            faults.append(f"信号 {signal!r} 用了没有的词组 {group!r}；现有 {sorted(words)}")
        except re.error as error:
            faults.append(f"信号 {signal!r} 不是正则表达式（{error}）")
        else:
            if pattern.search(""):
                faults.append(f"信号 {signal!r} 连空文字也能匹配")
    return faults
