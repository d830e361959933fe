"""The tables. Texts are kept masked; an original only encrypted, and only where the office wants it kept."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    DateTime,
    Dialect,
    Float,
    ForeignKey,
    Index,
    LargeBinary,
    MetaData,
    String,
    Text,
    TypeDecorator,
    UniqueConstraint,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class UtcDateTime(TypeDecorator[datetime]):
    """A moment, always aware and in UTC on both databases (SQLite itself forgets the zone)."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse a naive moment, write the others in UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment without time zone")
        moment = value.astimezone(UTC)
        return moment.replace(tzinfo=None) if dialect.name == "sqlite" else moment

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Return the moment in UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Base(DeclarativeBase):
    """Base of all tables; constraint names are fixed so that migrations can name them on both databases."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {datetime: UtcDateTime(), dict[str, Any]: JSON(), list[Any]: JSON()}  # noqa: RUF012


class PetitionRow(Base):
    """One petition as it is kept, its place in the queues, and its lock.

    `content` is masked: title and text joined by a newline, `title_length` says where the title ends.
    `state`: queued | auto_accepted | decided | sent_back | out_of_scope. `version` counts every change.
    """

    __tablename__ = "petitions"

    id: Mapped[str] = mapped_column(String(20), primary_key=True)
    external_id: Mapped[str | None] = mapped_column(String(100))
    source: Mapped[str] = mapped_column(String(20))
    submitted_by: Mapped[str] = mapped_column(String(40))
    content: Mapped[str] = mapped_column(Text)
    title_length: Mapped[int]
    redactions: Mapped[list[Any]]
    sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    received_at: Mapped[datetime]
    due_at: Mapped[datetime]
    purged_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(default=1)

    state: Mapped[str] = mapped_column(String(20))
    queue: Mapped[str] = mapped_column(String(30))
    urgency: Mapped[int]
    uncertainty: Mapped[float] = mapped_column(Float)
    blind: Mapped[bool] = mapped_column(default=False)

    claim_id: Mapped[str | None] = mapped_column(String(32))
    claimed_by: Mapped[str | None] = mapped_column(String(40))
    claim_expires_at: Mapped[datetime | None]

    category_l1: Mapped[str] = mapped_column(String(40))
    category_l2: Mapped[str] = mapped_column(String(40))
    nature: Mapped[str] = mapped_column(String(40))
    channel: Mapped[str] = mapped_column(String(40))
    department: Mapped[str] = mapped_column(String(60))

    __table_args__ = (
        Index("ix_petitions_next", "state", "queue", "urgency", "due_at"),
        Index("ix_petitions_newest", "received_at", "id"),
        Index("ix_petitions_department", "department", "received_at"),
        Index("ix_petitions_claimed_by", "claimed_by"),
        Index("ix_petitions_external_id", "external_id"),
    )


class SuggestionRow(Base):
    """What a bundle said of a petition: the whole answer, the thresholds of that day, the best labels."""

    __tablename__ = "suggestions"

    id: Mapped[int] = mapped_column(primary_key=True)
    petition_id: Mapped[str] = mapped_column(ForeignKey("petitions.id"), index=True)
    made_at: Mapped[datetime]
    bundle_id: Mapped[str] = mapped_column(String(200))
    taxonomy_version: Mapped[str] = mapped_column(String(100))
    action: Mapped[str] = mapped_column(String(10))
    answer: Mapped[dict[str, Any]]
    thresholds: Mapped[dict[str, Any]]
    labels: Mapped[dict[str, Any]]


class FingerprintRow(Base):
    """What tells petitions of one text or one matter: numbers made of the masked text, gone once that is purged.

    `seq` is the line of the record that tells of the submission: lines are written one transaction after the other, so
    whoever has seen a number has seen all smaller ones. None of them comes from a model: a change of the bundle
    leaves them as they are.
    """

    __tablename__ = "fingerprints"

    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    petition_id: Mapped[str] = mapped_column(ForeignKey("petitions.id"), unique=True)
    signature: Mapped[bytes] = mapped_column(LargeBinary)
    digest: Mapped[bytes] = mapped_column(LargeBinary)
    matter_keys: Mapped[bytes] = mapped_column(LargeBinary)


class ReviewRow(Base):
    """One decision on a petition, by the machine or a person; an undone one stays, marked.

    `action`: auto | accept | correct | send_back | out_of_scope | several_appeals.
    `labels` maps each head to its code; `appeals` lists such maps where there are several.
    """

    __tablename__ = "reviews"

    id: Mapped[int] = mapped_column(primary_key=True)
    petition_id: Mapped[str] = mapped_column(ForeignKey("petitions.id"), index=True)
    suggestion_id: Mapped[int] = mapped_column(ForeignKey("suggestions.id"))
    claim_id: Mapped[str | None] = mapped_column(String(32))
    actor: Mapped[str] = mapped_column(String(40))
    actor_name: Mapped[str] = mapped_column(String(100))
    action: Mapped[str] = mapped_column(String(20))
    labels: Mapped[dict[str, Any]]
    co_departments: Mapped[list[Any]]
    appeals: Mapped[list[Any]]
    note: Mapped[str] = mapped_column(Text)
    blind: Mapped[bool]
    decided_at: Mapped[datetime] = mapped_column(index=True)
    undone_at: Mapped[datetime | None]
    before: Mapped[dict[str, Any]]


class CorrectionRow(Base):
    """One head whose suggestion a review changed, and the typed reason for it."""

    __tablename__ = "corrections"

    id: Mapped[int] = mapped_column(primary_key=True)
    review_id: Mapped[int] = mapped_column(ForeignKey("reviews.id"), index=True)
    head: Mapped[str] = mapped_column(String(20))
    suggested: Mapped[str] = mapped_column(String(60))
    final: Mapped[str] = mapped_column(String(60))
    reason: Mapped[str] = mapped_column(String(30))


class ClaimRow(Base):
    """One time somebody held a petition. `ended`: released | forced | expired, empty while held."""

    __tablename__ = "claims"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    petition_id: Mapped[str] = mapped_column(ForeignKey("petitions.id"), index=True)
    actor: Mapped[str] = mapped_column(String(40))
    actor_name: Mapped[str] = mapped_column(String(100))
    taken_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    ended: Mapped[str] = mapped_column(String(20), default="")
    ended_by: Mapped[str] = mapped_column(String(40), default="")


class UserRow(Base):
    """A person who signs in."""

    __tablename__ = "users"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(40))
    display_name: Mapped[str] = mapped_column(String(100))
    role: Mapped[str] = mapped_column(String(20))
    password_hash: Mapped[str] = mapped_column(String(200))
    must_change_password: Mapped[bool]
    failed_logins: Mapped[int] = mapped_column(default=0)
    locked_until: Mapped[datetime | None]
    created_at: Mapped[datetime]
    disabled_at: Mapped[datetime | None]

    __table_args__ = (UniqueConstraint("name"),)


class SessionRow(Base):
    """A signed-in browser; only the hash of its token is kept."""

    __tablename__ = "sessions"

    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    csrf: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    expires_at: Mapped[datetime]


class ApiKeyRow(Base):
    """A key of another system; only its hash is kept, the prefix tells keys apart.

    `acts_as` is the first of the keys that rotation put in each other's place: the system goes on under its number.
    None for a key that replaced no other.
    """

    __tablename__ = "api_keys"

    id: Mapped[int] = mapped_column(primary_key=True)
    acts_as: Mapped[int | None]
    name: Mapped[str] = mapped_column(String(100))
    prefix: Mapped[str] = mapped_column(String(12))
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    role: Mapped[str] = mapped_column(String(20))
    created_by: Mapped[str] = mapped_column(String(40))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    used_at: Mapped[datetime | None]


class IdempotencyRow(Base):
    """The answer that was given for an idempotency key, and a hash of the body it was given for."""

    __tablename__ = "idempotency_keys"

    actor: Mapped[str] = mapped_column(String(40), primary_key=True)
    key: Mapped[str] = mapped_column(String(200), primary_key=True)
    body_hash: Mapped[str] = mapped_column(String(64))
    petition_id: Mapped[str] = mapped_column(ForeignKey("petitions.id"), index=True)
    answer: Mapped[dict[str, Any]]
    created_at: Mapped[datetime]


class AuditRow(Base):
    """One line of the record. Each carries the hash of the one before; the database refuses changes."""

    __tablename__ = "audit_log"

    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[datetime]
    actor: Mapped[str] = mapped_column(String(40))
    action: Mapped[str] = mapped_column(String(40))
    subject: Mapped[str] = mapped_column(String(60), index=True)
    detail: Mapped[dict[str, Any]]
    previous: Mapped[str] = mapped_column(String(64))
    hash: Mapped[str] = mapped_column(String(64))
