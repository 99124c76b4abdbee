#!/usr/bin/env bash
# The jobs of Cloud Scheduler that call the functions on Cloud Run.
#   jobs.sh apply [JOB…]     creates or updates these, or all, with the secret as it is now
#   jobs.sh pause [JOB…]     and
#   jobs.sh resume [JOB…]    these, or all
#   jobs.sh run JOB…         now, beside their schedule
#   jobs.sh list             what is there and how it went
# The settings are in the environment: README.md.
set -euo pipefail
export LC_ALL=C

# Every job: which function, when, with which body, how long an attempt may take, how often it is tried again.
# What a run of bundle-transitions misses, the next one does. A sweep that had to stop goes on by the job that continues it.
jobs='
bundle-transitions           | bundle-transitions | */5 * * * *     | {}                   | 180s  | 0
points-expiry                | points-expiry      | 0 1 * * *       | {}                   | 1800s | 3
points-expiry-continued      | points-expiry      | */30 2-7 * * *  | {"cursor": "latest"} | 1800s | 0
tier-recalculation           | tier-recalculation | 0 3 * * *       | {}                   | 1800s | 3
tier-recalculation-continued | tier-recalculation | */30 4-9 * * *  | {"cursor": "latest"} | 1800s | 0
churn-prediction             | churn-prediction   | 0 2 * * 0       | {}                   | 1800s | 3
churn-prediction-continued   | churn-prediction   | */30 3-23 * * 0 | {"cursor": "latest"} | 1800s | 0
weekly-report                | weekly-report      | 0 9 * * 1       | {}                   | 1800s | 3
'

fail() {
  echo "jobs.sh: $1" >&2
  exit 1
}

for name in PROJECT REGION; do
  [[ -n ${!name:-} ]] || fail "$name is not set: README.md says what it is"
done
STACK=${STACK:-regulars}
TIME_ZONE=${TIME_ZONE:-America/New_York}
SECRET=${SECRET:-$STACK-cron-secret}

# Otherwise gcloud writes what it was told, the secret included, into a log of its own.
export CLOUDSDK_CORE_DISABLE_FILE_LOGGING=1 CLOUDSDK_CORE_LOG_HTTP=0 CLOUDSDK_CORE_VERBOSITY=warning

scheduler() {
  gcloud scheduler jobs "$@" --project="$PROJECT" --location="$REGION" --quiet </dev/null
}

# The names of the jobs, a line each.
names() {
  sed -n 's/^\([a-z-]*\) *|.*/\1/p' <<<"$jobs"
}

# Which jobs are meant: those named, or all.
meant() {
  local job
  for job in "$@"; do
    grep -Fqx -- "$job" <<<"$(names)" || fail "there is no job $job; there are: $(names | tr '\n' ' ')"
  done
  if [[ $# -gt 0 ]]; then printf '%s\n' "$@"; else names; fi
}

# Writes the headers where only this user reads them, as a file of flags. YAML reads JSON.
write_headers() {
  local secret
  secret=$(gcloud secrets versions access latest --secret="$SECRET" --project="$PROJECT" --quiet)
  [[ $secret =~ ^[\ -~]+$ ]] || fail "the secret $SECRET is empty or can't be sent in a header"
  secret=${secret//\\/\\\\}
  secret=${secret//\"/\\\"}
  local flag
  for flag in --headers --update-headers; do
    printf '{"%s": {"Authorization": "Bearer %s", "Content-Type": "application/json"}}\n' "$flag" "$secret" \
      >"$scratch/$flag"
  done
}

# Each job that is there and its state, a line each.
states() {
  scheduler list --format='csv[no-heading](name.basename(),state)'
}

# A job's state, empty where it is not there; of what states() said.
state_of() {
  sed -n "s/^$STACK-$1,//p" <<<"$2"
}

# Does the same for each job that is meant: one that fails is told, and holds up no other.
each() {
  local job failed=0
  while read -r job; do
    "$@" "$job" || { failed=1; echo "jobs.sh: $1 of $STACK-$job failed" >&2; }
  done <<<"$which"
  return "$failed"
}

apply() {
  scratch=$(mktemp -d)
  trap 'rm -rf "$scratch"' EXIT
  umask 077
  write_headers
  each apply_one
}

# Where a step fails the job has failed: what calls this has its own word for that, so that each step says so itself.
apply_one() {
  local job=$1 row function schedule body deadline retries url state
  row=$(grep "^$job *|" <<<"$jobs" | sed 's/ *| */|/g')
  IFS='|' read -r _ function schedule body deadline retries <<<"$row"
  url=$(gcloud run services describe "$STACK-$function" --project="$PROJECT" --region="$REGION" --quiet \
    --format='value(status.url)' </dev/null) || return 1
  [[ $url == https://* ]] || { echo "jobs.sh: the service $STACK-$function has no address yet" >&2; return 1; }
  set -- "$STACK-$job" --uri="$url/" --http-method=post --message-body="$body" \
    --schedule="$schedule" --time-zone="$TIME_ZONE" --attempt-deadline="$deadline" \
    --max-retry-attempts="$retries" --min-backoff=60s --max-backoff=600s --max-doublings=3
  # What gcloud shows of a job has its headers, so it is shown nothing.
  state=$(state_of "$job" "$there")
  if [[ -z $state ]]; then
    scheduler create http "$@" --flags-file="$scratch/--headers" --format=none || return 1
    echo "created $STACK-$job"
    return
  fi
  scheduler update http "$@" --flags-file="$scratch/--update-headers" --format=none || return 1
  # It stays paused, whatever an update makes of that; one that is paused can't be paused.
  if [[ $state == PAUSED && $(state_of "$job" "$(states)") != PAUSED ]]; then
    scheduler pause "$STACK-$job" --format=none || return 1
  fi
  echo "updated $STACK-$job"
}

# Pauses or resumes a job, unless it is so already: that would be refused.
set_state() {
  local command=$1 job=$2 state
  state=$(state_of "$job" "$there")
  case $command-$state in
    pause-PAUSED | resume-ENABLED) echo "$STACK-$job is $state already" ;;
    *-) echo "jobs.sh: there is no job $STACK-$job yet" >&2; return 1 ;;
    *)
      scheduler "$command" "$STACK-$job" --format=none || return 1
      echo "$command: $STACK-$job"
      ;;
  esac
}

run_one() {
  scheduler run "$STACK-$1" --format=none || return 1
  echo "run: $STACK-$1"
}

command=${1:-}
[[ $# -eq 0 ]] || shift
which=$(meant "$@")
case $command in
  apply)
    there=$(states)
    apply
    ;;
  pause | resume)
    there=$(states)
    each set_state "$command"
    ;;
  run)
    [[ $# -gt 0 ]] || fail "run which? there are: $(names | tr '\n' ' ')"
    each run_one
    ;;
  list)
    scheduler list --filter="name ~ /jobs/$STACK-" \
      --format='table(name.basename():label=JOB, schedule, timeZone, state, lastAttemptTime, status.code:label=FAILED)'
    ;;
  *)
    fail "apply, pause, resume, run or list?"
    ;;
esac
