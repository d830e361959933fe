"""Everything an operator can set, read from the environment (prefix `PETITION_`).

Bad values and bad pairs are refused here, before anything is opened. docs/configuration.md is generated
from this file (`python -m serving.configuration`) and a test holds the two together.
"""

from importlib.util import find_spec
from pathlib import Path
from typing import Literal, Self

from cryptography.fernet import Fernet
from limits import parse
from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """The settings of one server; immutable once read."""

    model_config = SettingsConfigDict(env_prefix="PETITION_", frozen=True, extra="forbid")

    host: str = Field(default="127.0.0.1", description="监听地址。默认只对本机开放；对外服务请放在反向代理之后。")
    port: int = Field(default=8000, ge=1, le=65535, description="监听端口。")
    workers: int = Field(default=1, ge=1, le=64, description="服务进程数。大于 1 时必须使用 PostgreSQL。")
    forwarded_allow_ips: str = Field(
        default="127.0.0.1", description="允许哪些反向代理地址告知真实来源 IP（逗号分隔），用于登录限速。"
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(default="info", description="日志级别。")

    database_url: str = Field(
        default="sqlite:///var/petition.sqlite3",
        description="数据库。默认内嵌 SQLite；PostgreSQL 写作 postgresql+psycopg://用户:口令@主机/库名。",
    )
    database_pool: int = Field(default=10, ge=1, le=200, description="每个进程的数据库连接数上限。")
    auto_migrate: bool = Field(
        default=True, description="启动时自动把数据库结构升级到本版本；关闭时结构不符即拒绝启动。"
    )

    bundle: Path | None = Field(default=None, description="模型包目录；不填用随软件安装的默认模型。")
    bundles_dir: Path | None = Field(
        default=None, description="可热切换的模型包所在目录，切换时只能按名字选其中的子目录。"
    )
    taxonomy_overlay: Path | None = Field(
        default=None, description="本机关的单位目录（YAML，格式见 docs/labels.md）：本地名称、别名、由谁代行。"
    )
    knowledge_overlay: Path | None = Field(
        default=None, description="本机关的口径文件（YAML，格式见 docs/knowledge.md）：本地期限、线索、依据。"
    )
    notice_templates: Path | None = Field(
        default=None, description="本机关的文书模板所在文件夹（格式见 docs/notices.md）；没有的文书用随软件的模板。"
    )
    error_budget: float | None = Field(
        default=None,
        gt=0,
        lt=1,
        description="自动采纳（分类、途径、部门合计）允许的差错率，须是模型包备有的一种；"
        "随软件的模型包备有 0.05、0.1，不填为 0.1。",
    )
    max_waiting: int = Field(default=128, ge=1, le=100_000, description="等待推理的件数上限，超过即答 429。")
    answer_timeout: float = Field(default=60.0, gt=0, description="一件最多等待推理多少秒，超过答 503。")
    shutdown_grace: float = Field(default=30.0, gt=0, description="停止时最多用多少秒把已接收的件答完。")

    max_text_chars: int = Field(default=100_000, ge=1, description="单件正文字数上限，超过答 422。")
    max_items: int = Field(default=32, ge=1, le=1000, description="一次研判请求最多几件。")
    max_body_bytes: int = Field(default=2_000_000, ge=1_000, description="请求体字节上限，超过答 413。")
    body_timeout: float = Field(default=15.0, gt=0, description="请求体须在多少秒内传完，超过答 408。")
    rate_limit: str = Field(default="1200/minute", description="每个用户或密钥的请求速率上限（每进程计）。")
    login_rate_limit: str = Field(default="10/minute", description="每个来源地址的登录尝试速率上限。")
    open_classify: bool = Field(
        default=False,
        description="`POST /v1/classify`、`POST /v1/assess`、`GET /v1/taxonomy`、`GET /v1/model`、`GET /v1/knowledge` "
        "是否免登录（只宜用于隔离网络或试用）。",
    )
    open_metrics: bool = Field(default=False, description="/metrics 是否免登录。")

    telemetry_endpoint: str = Field(
        default="",
        description="OpenTelemetry 追踪送往何处（OTLP/HTTP，如 `http://127.0.0.1:4318/v1/traces`）；不填即关闭，"
        "填了须装 `telemetry` 附加依赖。追踪只含路由、状态、请求编号与各段耗时。",
    )

    keep_original: bool = Field(default=False, description="是否加密保存原文。默认不保存，只留脱敏文本。")
    original_key: SecretStr = Field(
        default=SecretStr(""), description="原文加密密钥（Fernet，逗号分隔可轮换，第一个用于加密）；保存原文时必填。"
    )
    registration_days: int = Field(
        default=15, ge=1, le=365, description="登记转送时限（自然日），《信访工作条例》第二十二条第一款为十五日。"
    )
    audit_share: float = Field(default=0.05, ge=0, le=1, description="自动采纳件中抽取盲审的比例。")
    claim_minutes: float = Field(default=15.0, gt=0, le=24 * 60, description="领取一件后多少分钟不续期即自动放回。")
    max_claims: int = Field(default=5, ge=1, le=100, description="每人同时持有的未决件上限。")

    session_hours: float = Field(default=10.0, gt=0, le=24 * 30, description="登录最长有效小时数。")
    session_idle_minutes: float = Field(default=60.0, gt=0, description="无操作多少分钟后须重新登录。")
    secure_cookies: bool = Field(default=False, description="只经 HTTPS 发送会话 Cookie；启用 HTTPS 后应打开。")
    max_login_failures: int = Field(default=5, ge=1, le=100, description="连续输错几次口令后锁定账号。")
    lockout_minutes: float = Field(default=15.0, gt=0, description="账号锁定分钟数。")
    min_password_chars: int = Field(default=10, ge=8, le=128, description="口令最短字数。")

    @field_validator("telemetry_endpoint")
    @classmethod
    def _can_be_sent(cls, value: str) -> str:
        if value and not value.startswith(("http://", "https://")):
            raise ValueError(f"not an address: {value!r}; write for example 'http://127.0.0.1:4318/v1/traces'")
        if value and not (find_spec("opentelemetry") and find_spec("opentelemetry.exporter")):
            raise ValueError("spans need the extra: pip install 'petition-router[telemetry]'")
        return value

    @field_validator("rate_limit", "login_rate_limit")
    @classmethod
    def _parses(cls, value: str) -> str:
        try:
            parse(value)
        except ValueError as error:
            raise ValueError(f"not a rate: {value!r}; write for example '600/minute'") from error
        return value

    @field_validator("database_url")
    @classmethod
    def _known_database(cls, value: str) -> str:
        if not value.startswith(("sqlite:///", "postgresql+psycopg://")):
            scheme = value.split(":", 1)[0]
            raise ValueError(f"unknown database {scheme!r}; allowed are sqlite:///… and postgresql+psycopg://…")
        return value

    @model_validator(mode="after")
    def _pairs(self) -> Self:
        if self.workers > 1 and self.database_url.startswith("sqlite"):
            raise ValueError("workers > 1 needs PostgreSQL: set PETITION_DATABASE_URL, or PETITION_WORKERS=1")
        if self.max_items > self.max_waiting:
            raise ValueError(f"max_items ({self.max_items}) must not exceed max_waiting ({self.max_waiting})")
        keys = self.original_keys
        if self.keep_original and not keys:
            raise ValueError("keep_original needs PETITION_ORIGINAL_KEY (make one with `petition key fernet`)")
        for key in keys:
            Fernet(key)
        return self

    @property
    def original_keys(self) -> tuple[str, ...]:
        """The Fernet keys for originals, the one that encrypts first."""
        return tuple(key.strip() for key in self.original_key.get_secret_value().split(",") if key.strip())
