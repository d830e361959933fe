"""An office's own directory, laid over the standard one: local names, units that do not exist, effective dates.

```yaml
office: C3县信访局
departments:
  urban_management: {name: 县综合行政执法局, aliases: [城管大队], from: 2024-03-01}
  postal_communications_regulation: {substitute: industry_information_science}
```
"""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import yaml

from nlp.errors import TaxonomyError
from nlp.taxonomy.records import Taxonomy

_KEYS = {"name", "aliases", "substitute", "from", "until"}


@dataclass(frozen=True, kw_only=True, slots=True)
class LocalUnit:
    """What an office says about one department: its local name, or who acts where it does not exist."""

    name: str | None
    aliases: tuple[str, ...]
    substitute: str | None
    since: date
    until: date

    def holds(self, on: date) -> bool:
        """Tell whether this entry is in force `on` a day; both ends belong to it."""
        return self.since <= on <= self.until


@dataclass(frozen=True, kw_only=True, slots=True)
class Overlay:
    """An office and its local units by department code."""

    office: str
    units: Mapping[str, LocalUnit]


def read_overlay(path: Path, standard: Taxonomy) -> Overlay:
    """Read and check an overlay file against the `standard` directory.

    Raises TaxonomyError that lists every fault: unknown codes and keys, wrong types, substitutes that are unknown,
    absent themselves or the same unit, and periods that end before they begin.
    """
    try:
        raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise TaxonomyError(str(path), [f"不能按 UTF-8 的 YAML 读取（{type(error).__name__}）"]) from error
    if not isinstance(raw, dict) or not isinstance(raw.get("departments"), dict):
        raise TaxonomyError(str(path), ["须含 office 与 departments 两项，departments 下按部门代码逐个写"])
    allowed = ("departments", "office")
    faults = [f"没有 {key!r} 这一项；可写 {'、'.join(allowed)}" for key in raw if key not in allowed]
    if not isinstance(raw.get("office"), str) or not raw["office"].strip():
        faults.append("office 须写本机关的名称")
    codes = {department.code for department in standard.departments}
    entries: dict[str, Any] = raw["departments"]
    for code, entry in entries.items():
        faults += [f"departments.{code}：{fault}" for fault in _faults(code, entry, codes, entries)]
    if faults:
        raise TaxonomyError(str(path), faults)
    return Overlay(office=raw["office"].strip(), units={code: _unit(entry) for code, entry in entries.items()})


def apply_overlay(standard: Taxonomy, overlay: Overlay, *, on: date) -> Taxonomy:
    """Return `standard` with the names, aliases and substitutes that hold `on` the given day."""
    departments = []
    for department in standard.departments:
        unit = overlay.units.get(department.code)
        if unit is None or not unit.holds(on):
            departments.append(department)
            continue
        departments.append(
            dataclasses.replace(
                department,
                name=unit.name or department.name,
                aliases=(*unit.aliases, *department.aliases, *([department.name] if unit.name else [])),
                substitute=unit.substitute,
            )
        )
    return dataclasses.replace(standard, departments=tuple(departments), office=overlay.office)


def _faults(code: str, entry: Any, codes: set[str], entries: Mapping[str, Any]) -> list[str]:
    if code not in codes:
        return ["标准目录里没有这个部门代码"]
    if not isinstance(entry, dict):
        return [f"须由 {'、'.join(sorted(_KEYS))} 组成，写的是 {type(entry).__name__}"]
    faults = [f"没有 {key!r} 这一项；可写 {'、'.join(sorted(_KEYS))}" for key in entry if key not in _KEYS]
    if "name" in entry and (not isinstance(entry["name"], str) or not entry["name"].strip()):
        faults.append("name 须为文字")
    aliases = entry.get("aliases", [])
    if not isinstance(aliases, list) or not all(isinstance(alias, str) and alias.strip() for alias in aliases):
        faults.append("aliases 须为若干文字的列表")
    dates_wrong = [key for key in ("from", "until") if key in entry and type(entry[key]) is not date]
    faults += [f"{key} 须为日期，如 2024-03-01，写的是 {entry[key]!r}" for key in dates_wrong]
    if not dates_wrong and entry.get("from", date.min) > entry.get("until", date.max):
        faults.append(f"from {entry['from']} 晚于 until {entry['until']}")
    return faults + _substitute_faults(code, entry, codes, entries)


def _substitute_faults(code: str, entry: Mapping[str, Any], codes: set[str], entries: Mapping[str, Any]) -> list[str]:
    if "substitute" not in entry:
        return []
    substitute = entry["substitute"]
    if not isinstance(substitute, str) or substitute not in codes:
        return [f"substitute {substitute!r} 不是部门代码"]
    if substitute == code:
        return ["substitute 就是本部门"]
    other = entries.get(substitute)
    if isinstance(other, dict) and "substitute" in other:
        return [f"substitute {substitute!r} 在本地也没有"]
    return []


def _unit(entry: Mapping[str, Any]) -> LocalUnit:
    return LocalUnit(
        name=entry.get("name"),
        aliases=tuple(entry.get("aliases", ())),
        substitute=entry.get("substitute"),
        since=entry.get("from", date.min),
        until=entry.get("until", date.max),
    )
