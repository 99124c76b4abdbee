#!/usr/bin/env bash
# Deploys functions as services of Cloud Run, as service.yaml says.
#   deploy.sh FUNCTION…          deploys these
#   deploy.sh render FUNCTION    prints what would be deployed
# The settings are in the environment: README.md.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)

# Each function: how long Cloud Run lets a request take, and how long the function itself does, which ends its work and
# answers before, both in seconds; requests at once in an instance; instances. A job is one instance: more would not make
# it faster.
functions='
back-office        60   55   40  10
bundle-redemption  60   55   40  20
bundle-transitions 180  120  4   1
churn-prediction   1800 1740 4   1
points-award       60   55   40  20
points-expiry      1800 1740 4   1
points-redemption  60   55   40  20
tier-recalculation 1800 1740 4   1
weekly-report      1800 1740 4   1
'

fail() {
  echo "deploy.sh: $1" >&2
  exit 1
}

STACK=${STACK:-regulars}

# What service.yaml asks for, to be read by its name.
# shellcheck disable=SC2034
settings() {
  read -r _ TIMEOUT REQUEST_TIMEOUT CONCURRENCY MAX_INSTANCES <<<"$1"
  TABLE_NAME=${TABLE_NAME:-$STACK}
  IMAGES=${IMAGES:-$REGION-docker.pkg.dev/$PROJECT/$STACK}
  TAG=${TAG:-latest}
  TOKEN_IMAGE=${TOKEN_IMAGE:-docker.io/library/busybox:1.37.0}
  ALLOWED_ORIGINS=${ALLOWED_ORIGINS:-}
  LOG_LEVEL=${LOG_LEVEL:-info}
  SLACK_WEBHOOK_SECRET=${SLACK_WEBHOOK_SECRET:-}
  ANTHROPIC_SECRET=${ANTHROPIC_SECRET:-}
  ANTHROPIC_BASE_URL=${ANTHROPIC_BASE_URL:-https://api.anthropic.com}
  CHURN_MODEL=${CHURN_MODEL:-claude-haiku-5-5}
  CHURN_BATCH_SIZE=${CHURN_BATCH_SIZE:-10}
  CHURN_PAUSE_MS=${CHURN_PAUSE_MS:-1000}
  CHURN_CONCURRENCY=${CHURN_CONCURRENCY:-1}
  CHURN_TIMEOUT_MS=${CHURN_TIMEOUT_MS:-60000}
  # Each function has a role of its own, as on Lambda.
  AWS_ROLE_ARN=arn:aws:iam::$AWS_ACCOUNT_ID:role/$STACK-$FUNCTION-cloud-run
}

render() {
  FUNCTION=$1
  local line
  line=$(awk -v name="$FUNCTION" '$1 == name' <<<"$functions")
  [[ -n $line ]] || fail "there is no function $FUNCTION"
  settings "$line"
  local text name value others
  # Other functions' lines go.
  others=$(awk 'NF { print $1 }' <<<"$functions" | grep -vx "$FUNCTION")
  text=$(grep -vE " # (${others//$'\n'/|})\$" "$here/service.yaml")
  for name in STACK FUNCTION PROJECT IMAGES TAG TOKEN_IMAGE TIMEOUT REQUEST_TIMEOUT CONCURRENCY MAX_INSTANCES TABLE_NAME \
    CRON_SECRET_NAME ALLOWED_ORIGINS LOG_LEVEL AWS_REGION AWS_ROLE_ARN SLACK_WEBHOOK_SECRET ANTHROPIC_SECRET ANTHROPIC_BASE_URL \
    CHURN_MODEL CHURN_BATCH_SIZE CHURN_PAUSE_MS CHURN_CONCURRENCY CHURN_TIMEOUT_MS; do
    value=${!name}
    [[ $value =~ ^[A-Za-z0-9_.,:/=@+-]*$ ]] || fail "$name can't be put into the definition: $value"
    text=${text//"\${$name}"/"$value"}
  done
  printf '%s\n' "$text"
}

# A service account is named after stack and function, in thirty characters at most.
[[ ${#STACK} -le 11 ]] || fail "STACK has more than 11 characters: $STACK"
for name in PROJECT REGION AWS_ACCOUNT_ID AWS_REGION CRON_SECRET_NAME; do
  [[ -n ${!name:-} ]] || fail "$name is not set: README.md says what it is"
done
[[ $# -gt 0 ]] || fail "which functions? $(awk 'NF { printf "%s ", $1 }' <<<"$functions")"

if [[ $1 == render ]]; then
  render "${2:?which function?}"
else
  for function in "$@"; do
    definition=$(render "$function")
    gcloud run services replace - --project="$PROJECT" --region="$REGION" --quiet <<<"$definition"
  done
fi
