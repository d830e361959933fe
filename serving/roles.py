"""Who may do what, as data: the API obeys it, the OpenAPI document shows it, attack tests are made from it."""

from dataclasses import dataclass
from typing import Literal, get_args

Role = Literal["service", "clerk", "reviewer", "maintainer", "admin"]
ROLES: tuple[Role, ...] = get_args(Role)

ROLE_NAMES: dict[Role, str] = {
    "service": "业务系统",
    "clerk": "经办人",
    "reviewer": "审核员",
    "maintainer": "模型维护员",
    "admin": "管理员",
}

Permission = Literal[
    "classify",
    "describe_model",
    "submit",
    "read",
    "decide",
    "draft_notice",
    "find_related",
    "review_blind",
    "force_release",
    "read_original",
    "statistics",
    "export",
    "reload_model",
    "metrics",
    "manage_accounts",
    "read_audit",
]

PERMISSIONS: dict[Permission, frozenset[Role]] = {
    "classify": frozenset(ROLES),
    "describe_model": frozenset(ROLES),
    "submit": frozenset({"service", "clerk", "reviewer", "admin"}),
    "read": frozenset(ROLES),
    "decide": frozenset({"clerk", "reviewer", "admin"}),
    "draft_notice": frozenset({"clerk", "reviewer", "admin"}),
    "find_related": frozenset({"clerk", "reviewer", "admin"}),
    "review_blind": frozenset({"reviewer", "admin"}),
    "force_release": frozenset({"reviewer", "admin"}),
    "read_original": frozenset({"reviewer", "admin"}),
    "statistics": frozenset({"reviewer", "maintainer", "admin"}),
    "export": frozenset({"maintainer", "admin"}),
    "reload_model": frozenset({"maintainer", "admin"}),
    "metrics": frozenset({"service", "maintainer", "admin"}),
    "manage_accounts": frozenset({"admin"}),
    "read_audit": frozenset({"admin"}),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Actor:
    """Who acts: a person (`user:3`), a key of another system (`key:5`), the command line or the machine."""

    id: str
    name: str
    role: Role

    def may(self, permission: Permission) -> bool:
        """Whether the role carries `permission`."""
        return self.role in PERMISSIONS[permission]


MACHINE = Actor(id="machine", name="自动采纳", role="service")
COMMAND_LINE = Actor(id="cli", name="命令行", role="admin")
