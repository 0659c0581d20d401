#!/bin/sh
# Prints the passwords that docker-compose.yml needs, fresh ones: (umask 077; sh deploy/passwords.sh > .env)
set -eu
for role in PLANNER AUDIT AGENT SHIP OWNER BEAT FLOWER; do
  echo "OPS_${role}_PASSWORD=$(od -An -N24 -tx1 /dev/urandom | tr -d ' \n')"
done
echo "OPS_FLOWER_AUTH=ops:$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')"
