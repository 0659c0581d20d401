#!/bin/sh
# Starts the server of docker-compose.yml: nothing that was answered is ever lost, nothing is evicted, and each role has
# a user of its own. Passwords come from the environment and go into a file in memory, never into an argument list.
set -eu
umask 077

folder=${OPS_ACL_FOLDER:-/run/ops}
mkdir -p "$folder"

# What our code and Celery send: everything but what administers a server, on our keys only.
worker='~ops:* ~{ops}:* &* +@all -@admin -@dangerous +info'
# Beat and Flower speak to the broker; the ledger is none of their business.
broker='~ops:* &* +@all -@admin -@dangerous -@scripting +info'

{
  echo 'user default off'
  echo "user planner on >${OPS_PLANNER_PASSWORD:?} $worker"
  echo "user audit on >${OPS_AUDIT_PASSWORD:?} $worker"
  echo "user agent on >${OPS_AGENT_PASSWORD:?} $worker"
  echo "user ship on >${OPS_SHIP_PASSWORD:?} $worker"
  echo "user owner on >${OPS_OWNER_PASSWORD:?} $worker"
  echo "user beat on >${OPS_BEAT_PASSWORD:?} $broker"
  echo "user flower on >${OPS_FLOWER_PASSWORD:?} $broker"
  echo 'user health on nopass -@all +ping'
} > "$folder/users.acl"

exec "${OPS_SERVER:-valkey-server}" \
  --bind "${OPS_SERVER_BIND:-0.0.0.0}" --port "${OPS_SERVER_PORT:-6379}" \
  --dir "${OPS_SERVER_DIR:-/data}" --aclfile "$folder/users.acl" \
  --appendonly yes --appendfsync always --save '' --maxmemory-policy noeviction
