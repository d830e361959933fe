"""People, keys and sessions on the wire."""

from datetime import datetime

from pydantic import Field

from serving.roles import Permission, Role
from serving.schemas.base import Clean, Moment, Wire


class SignInIn(Wire):
    """Name and password."""

    name: Clean = Field(min_length=1, max_length=40)
    password: Clean = Field(min_length=1, max_length=256)


class SessionOut(Wire):
    """Who is signed in; unsafe requests must carry `csrf` in the header X-CSRF-Token."""

    name: str
    display_name: str
    role: Role
    permissions: list[Permission]
    csrf: str
    must_change_password: bool


class ChangePasswordIn(Wire):
    """The present password and the new one."""

    old: Clean = Field(min_length=1, max_length=256)
    new: Clean = Field(min_length=1, max_length=256)


class UserIn(Wire):
    """A person to be given an account."""

    name: Clean = Field(max_length=40, examples=["wang.fang"])
    display_name: Clean = Field("", max_length=100, examples=["王芳"])
    role: Role


class UserChangeIn(Wire):
    """What is to be changed."""

    display_name: Clean | None = Field(None, max_length=100)
    role: Role | None = None
    disabled: bool | None = None


class UserOut(Wire):
    """A person with an account."""

    id: int
    name: str
    display_name: str
    role: Role
    must_change_password: bool
    locked_until: datetime | None
    disabled_at: datetime | None
    created_at: datetime


class NewUserOut(Wire):
    """A person with a one-time password, shown this once."""

    user: UserOut
    one_time_password: str


class UsersOut(Wire):
    """Everybody with an account."""

    items: list[UserOut]


class KeyIn(Wire):
    """A key for another system."""

    name: Clean = Field(min_length=1, max_length=100, examples=["12345 热线平台"])
    role: Role = "service"
    expires_at: Moment | None = None


class RotateIn(Wire):
    """For how many hours the old key works on."""

    overlap_hours: float = Field(24, ge=0, le=24 * 30)


class KeyOut(Wire):
    """A key; its first characters tell it apart."""

    id: int
    name: str
    prefix: str
    role: Role
    created_by: str
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    used_at: datetime | None


class NewKeyOut(Wire):
    """A key, shown whole this once."""

    key: KeyOut
    secret: str


class KeysOut(Wire):
    """All keys, newest first."""

    items: list[KeyOut]
