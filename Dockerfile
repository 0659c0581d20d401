# One image for every process of an installation; docker-compose.yml says which of them a container is.
# A coding agent's own program is not in it: derive an image that adds yours (docs/operating.md).
FROM python:3.12-slim

RUN apt-get update \
 && apt-get install --yes --no-install-recommends bubblewrap ca-certificates git openssh-client \
 && rm -rf /var/lib/apt/lists/*

COPY . /source
RUN pip install --no-cache-dir '/source[flower,github-app,notify]' && rm -rf /source

# Not root: a sandbox inside needs no right that this user has not.
RUN useradd --create-home --uid 10001 ops && install --directory --owner=ops --mode=0700 /data
USER ops
WORKDIR /home/ops
ENV OPS_DATA_DIR=/data PYTHONUNBUFFERED=1
VOLUME /data

ENTRYPOINT ["python", "-m", "workers"]
CMD ["planner"]
