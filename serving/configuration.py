"""The configuration reference: `python -m serving.configuration` prints docs/configuration.md."""

import sys
from pathlib import Path
from typing import Any

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from serving.settings import Settings

_HEAD = """# 配置参考

由 `python -m serving.configuration` 从 `serving/settings.py` 生成，请勿手改。全部设置从环境变量读取；
取值不合法或互相矛盾时，程序在打开任何资源之前拒绝启动并说明原因。

| 环境变量 | 默认值 | 说明 |
|---|---|---|
"""


def _default(field: FieldInfo) -> str:
    value: Any = field.default.get_secret_value() if isinstance(field.default, SecretStr) else field.default
    if value in (None, ""):
        return "（空）"
    return f"`{value.as_posix() if isinstance(value, Path) else value}`"


def reference() -> str:
    """Return the whole text of docs/configuration.md."""
    prefix = Settings.model_config["env_prefix"]
    rows = [
        f"| `{prefix}{name.upper()}` | {_default(field)} | {field.description} |"
        for name, field in Settings.model_fields.items()
    ]
    return _HEAD + "\n".join(rows) + "\n"


if __name__ == "__main__":
    sys.stdout.write(reference())
