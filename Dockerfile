# backaudit as an image: the project is mounted at /project, and only read.
#
#   docker build -t backaudit .
#   docker run --rm -v "$PWD:/project:ro" backaudit scan
FROM python:3.13-slim-trixie AS build
WORKDIR /source
COPY pyproject.toml setup.py constraints.txt README.md LICENSE ./
COPY backaudit backaudit
COPY rules rules
RUN python -m venv /opt/backaudit \
    && /opt/backaudit/bin/pip install --no-cache-dir --disable-pip-version-check --constraint constraints.txt .

FROM python:3.13-slim-trixie
# For --since, --staged and --history; without it everything else works.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends git \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --create-home backaudit \
    && install --directory --owner=backaudit /home/backaudit/cache
COPY --from=build /opt/backaudit /opt/backaudit
ENV PATH="/opt/backaudit/bin:$PATH" BACKAUDIT_CACHE_DIR=/home/backaudit/cache
USER 10001
WORKDIR /project
ENTRYPOINT ["backaudit"]
CMD ["scan"]
