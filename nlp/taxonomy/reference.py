"""Write the label systems as a page for people: docs/labels.md is generated here and a test holds the two equal.

`python -m nlp.taxonomy.reference > docs/labels.md`
"""

import sys
from collections.abc import Iterable, Sequence

from nlp.knowledge.records import CERTAINTY
from nlp.taxonomy.loading import load_taxonomy
from nlp.taxonomy.records import Taxonomy

_HEAD = """# 标注体系

由 `python -m nlp.taxonomy.reference` 从 `nlp/taxonomy/*.yaml` 生成，请勿手改。本页对应版本 `{version}`：
加号前由人工在代码增删或含义变化时提升，加号后是数据内容的摘要。模型包和每一条保存的研判结果都带有这个版本，版本不符的模型包拒绝加载。

| 项 | 标签数 | 在结果表与标注文件中的写法 | 在接口中的代码 |
|---|---:|---|---|
| `category_l1` 一级分类 | {category_l1} | 中文名称 | 中文名称 |
| `category_l2` 二级分类 | {category_l2} | 中文名称，不带一级 | `一级/二级` |
| `nature` 信访性质 | {nature} | 代码 | 代码 |
| `channel` 法定途径 | {channel} | 代码 | 代码 |
| `department` 责任部门 | {department} | 代码 | 代码 |

代码长期不变；名称可随法律和本地目录而变。各项含义与易混情形的判定口径以本页及 [knowledge.md](knowledge.md) 为准。

## 本地目录

各地单位名称不同，用一个 YAML 文件覆盖标准目录：本地名称、别名、本地没有的单位由谁代行、起止日期。代码不变，
模型不用重训。文件中的全部错误一次报出。

```yaml
office: C3县信访局
departments:
  urban_management: {{name: 县综合行政执法局, aliases: [城管大队], from: 2024-03-01}}
  postal_communications_regulation: {{substitute: industry_information_science}}
```
"""


def reference(taxonomy: Taxonomy) -> str:
    """Return the whole text of docs/labels.md."""
    head = _HEAD.format(version=taxonomy.version, **{head: len(labels) for head, labels in taxonomy.labels.items()})
    return "\n".join([head, _categories(taxonomy), _natures(taxonomy), _channels(taxonomy), _departments(taxonomy)])


def _categories(taxonomy: Taxonomy) -> str:
    parts = ["## 内容分类", "", "三级名称只说明二级的范围，不单独预测。", ""]
    for category in taxonomy.categories:
        rows = [(sub.code, sub.name, "、".join(sub.third_level)) for sub in category.second_level]
        parts += [f"### {category.code} {category.name}", "", _table(("代码", "二级", "包括"), rows)]
    return "\n".join(parts)


def _natures(taxonomy: Taxonomy) -> str:
    rows = [(f"`{nature.code}`", nature.name, nature.definition) for nature in taxonomy.natures]
    return "## 信访性质\n\n" + _table(("代码", "名称", "含义"), rows)


def _channels(taxonomy: Taxonomy) -> str:
    rows = [
        (
            f"`{channel.code}`",
            channel.name,
            channel.article,
            channel.handling,
            _codes(channel.natures),
            CERTAINTY[channel.certainty],
        )
        for channel in taxonomy.channels
    ]
    return "## 法定途径\n\n" + _table(("代码", "名称", "依据", "怎样办理", "适用性质", "核对情况"), rows)


def _departments(taxonomy: Taxonomy) -> str:
    rows = [
        (
            f"`{unit.code}`",
            unit.name,
            "、".join(map(str, unit.aliases)),
            "、".join(unit.matters),
            "；".join(f"与 `{near.other}`：{near.rule}" for near in unit.near),
        )
        for unit in taxonomy.departments
    ]
    return "## 责任部门\n\n" + _table(("代码", "名称", "别名", "事项举例", "与易混部门的界线"), rows)


def _codes(codes: Iterable[str]) -> str:
    return "、".join(f"`{code}`" for code in codes)


def _table(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [titles, ["---"] * len(titles), *rows]
    return "".join(f"| {' | '.join(cell.replace('|', '／') for cell in line)} |\n" for line in lines)


if __name__ == "__main__":
    sys.stdout.write(reference(load_taxonomy()))
