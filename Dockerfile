# Two stages: the first builds wheels (jieba comes as source), the second installs them without any index.
# No torch: it serves and judges, training has its own environment.     docker build -t petition-router .
FROM python:3.11-slim-bookworm AS build
WORKDIR /src
COPY pyproject.toml README.md LICENSE constraints.txt ./
COPY nlp nlp
COPY training training
COPY serving serving
RUN pip wheel --no-cache-dir --constraint constraints.txt --wheel-dir /wheels '.[postgres]'

FROM python:3.11-slim-bookworm
# pg_dump and pg_restore for `petition backup`; bookworm's version is that of the database in compose.yaml.
RUN apt-get update \
    && apt-get install -y --no-install-recommends postgresql-client-15 \
    && rm -rf /var/lib/apt/lists/*
RUN --mount=type=bind,from=build,source=/wheels,target=/wheels \
    pip install --no-cache-dir --no-index --find-links /wheels 'petition-router[postgres]' \
    && useradd --system --uid 10001 --home-dir /var/lib/petition --create-home --shell /usr/sbin/nologin petition \
    && chmod 0700 /var/lib/petition
USER 10001
WORKDIR /var/lib/petition
VOLUME /var/lib/petition
ENV PYTHONDONTWRITEBYTECODE=1 \
    PETITION_HOST=0.0.0.0 \
    PETITION_DATABASE_URL=sqlite:////var/lib/petition/petition.sqlite3
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s \
    CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:8000/readyz', timeout=4)"]
ENTRYPOINT ["petition"]
CMD ["serve"]
