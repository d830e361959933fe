"""Everything that is kept: SQLAlchemy tables, their migrations, and one module per kind of record."""
