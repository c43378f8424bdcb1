#!/usr/bin/env bash
# Starts every command of Glasshouse, and first installs what it needs and does not find: Python
# packages in .venv (pyproject.toml, pinned by conf/constraints.txt) and the Delta jars in
# build/jars (conf/jars.lock). With everything in place that costs little.
#
# `./spark-submit.sh help` lists the commands. Before or after the command it takes for itself
#   --profile local|standalone    conf/spark-<profile>.conf (default: local)
#   --master URL                  another Spark master than the profile's
#   --engine spark|sail           what runs the SQL of plan, build, verify and sql; sail needs no Java
#   --dry-run                     prints what would run; installs nothing, starts nothing
# and leaves all other arguments to the command. Environment:
#   JAVA_HOME                     Java 17 or newer; if not set, the `java` on the PATH
#   GLASSHOUSE_IVY_SETTINGS       Ivy settings file of a network with its own repository of jars
#   PIP_INDEX_URL ...             pip's own settings
# Exit codes of its own: 1 lint found something, 2 wrong usage, 7 Java, Python or packages missing.
set -euo pipefail

ROOT=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
VENV=$ROOT/.venv BUILD=$ROOT/build JARS=$ROOT/build/jars LOG=$ROOT/build/setup.log
JAVA=${JAVA_HOME:+$JAVA_HOME/bin/}java
if command -v sha256sum >/dev/null; then SHA256=(sha256sum); else SHA256=(shasum -a 256); fi

# die CODE MESSAGE
die() {
  printf 'spark-submit.sh: %s\n' "$2" >&2
  exit "$1"
}

# Comes before any installation: that Java is missing must not be learnt after a long download.
require_java() {
  local found='none found' answer
  answer=$("$JAVA" -version 2>&1 </dev/null) || answer=''
  if [[ $answer =~ version\ \"(1\.)?([0-9]+) ]]; then # Java 8 calls itself 1.8
    ((BASH_REMATCH[2] >= 17)) && return
    found="$JAVA is Java ${BASH_REMATCH[2]}"
  fi
  die 7 "needs Java 17 or newer, $found${JAVA_HOME:+ (JAVA_HOME=$JAVA_HOME)}: install it (Debian, \
Ubuntu: apt install openjdk-17-jre-headless; macOS: brew install openjdk@17) or set JAVA_HOME"
}

# step TEXT COMMAND...: one line on stderr with the seconds; what the command says goes to the log.
step() {
  local status=0
  printf 'setup: %s ... ' "$1" >&2
  SECONDS=0
  "${@:2}" >>"$LOG" 2>&1 </dev/null || status=$?
  if ((status)); then echo failed >&2; else echo "$SECONDS s" >&2; fi
  return "$status"
}

# What .venv was made for. Its own place belongs to it, since a venv does not survive a move.
fingerprint() {
  (cat "$ROOT/pyproject.toml" "$ROOT/conf/constraints.txt" && echo "$ROOT") | "${SHA256[@]}"
}

# packages_ready base|sail|dev|bench: the stamp is written last, so an interrupted installation has none,
# and .installing marks one that may have left a package half copied.
packages_ready() {
  [[ -x $VENV/bin/python && -f $VENV/.ready && ! -e $VENV/.installing &&
    $(<"$VENV/.ready") == "$(fingerprint) "*"$1"* ]]
}

find_python() {
  local python
  for python in python3.11 python3.12 python3.13 python3; do
    # Asked, not only looked up: a shim on the PATH may stand for a version that is not there.
    "$python" -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' \
      >/dev/null 2>&1 && echo "$python" && return
  done
  die 7 'needs Python 3.11 or newer with its venv module (Debian, Ubuntu: apt install python3-venv)'
}

# install_packages PYTHON base|sail|dev|bench
install_packages() {
  local groups="base $2" stamp
  if [[ -e $VENV/.installing ]] ||
    ! "$VENV/bin/python" -c 'import pip, tomllib' >/dev/null 2>&1; then
    step "creating .venv with $1" "$1" -m venv --clear "$VENV" || die 7 "no .venv, see $LOG"
  fi
  # What an earlier set-up with the same requirements installed stays installed.
  stamp=$(cat "$VENV/.ready" 2>/dev/null) || stamp=''
  if [[ $stamp == "$(fingerprint) "* ]]; then groups+=" ${stamp#"$(fingerprint) "}"; fi
  touch "$VENV/.installing"
  # The .pth makes `import jobs` work in a plain spark-submit too, with nothing to build.
  "$VENV/bin/python" -c 'import pathlib, sys, sysconfig, tomllib
pathlib.Path(sysconfig.get_path("purelib"), "glasshouse.pth").write_text(sys.argv[1])
project = tomllib.load(sys.stdin.buffer)["project"]
extras = project["optional-dependencies"] | {"base": []}
own = {"%s[%s]" % (project["name"], name): extra for name, extra in extras.items()}
for need in project["dependencies"] + extras[sys.argv[2]]: print(*own.get(need, [need]), sep="\n")
' "$ROOT" "$2" \
    <"$ROOT/pyproject.toml" >"$BUILD/requirements.txt"
  # Few retries, so that the answer comes within seconds where there is no network.
  if ! PIP_RETRIES=${PIP_RETRIES:-1} step 'installing Python packages' \
    "$VENV/bin/python" -m pip install --disable-pip-version-check --no-input \
    -c "$ROOT/conf/constraints.txt" -r "$BUILD/requirements.txt"; then
    # Up to this line pip only looks and downloads: what was installed before is still whole.
    grep -q '^Installing collected packages' "$LOG" || rm -f "$VENV/.installing"
    die 7 "Python packages are missing and pip cannot get them (offline?), see $LOG"
  fi
  echo "$(fingerprint) $groups" >"$VENV/.ready"
  rm -f "$VENV/.installing"
}

# jars_locked FORM: a line per jar, \1 organisation, \2 name, \3 revision, \4 sha256.
jars_locked() {
  sed -nE "s|^([^# ]+) ([^ ]+) ([^ ]+) ([0-9a-f]{64})$|$1|p" "$ROOT/conf/jars.lock"
}

jars_ready() {
  (cd "$JARS" && jars_locked '\4  \2-\3.jar' | "${SHA256[@]}" --check --status) 2>/dev/null
}

# Fetched by the Ivy that pyspark brings along, so that no repository's address stands in this
# project. Its cache is thrown away: a damaged download would otherwise come back for ever.
install_jars() {
  local ivy=("$VENV"/lib/python3*/site-packages/pyspark/jars/ivy-*.jar)
  {
    echo '<ivy-module version="2.0"><info organisation="glasshouse" module="jars"/><dependencies>'
    jars_locked '<dependency org="\1" name="\2" rev="\3" transitive="false"/>'
    echo '</dependencies></ivy-module>'
  } >"$BUILD/ivy.xml"
  rm -rf "$JARS" "$BUILD/ivy"
  step 'fetching the Delta jars' "$JAVA" -Dsun.net.client.defaultConnectTimeout=10000 \
    -Dsun.net.client.defaultReadTimeout=60000 -jar "${ivy[0]}" -cache "$BUILD/ivy" \
    ${GLASSHOUSE_IVY_SETTINGS:+-settings "$GLASSHOUSE_IVY_SETTINGS"} -ivy "$BUILD/ivy.xml" \
    -confs default -types jar -retrieve "$JARS/[artifact]-[revision].[ext]" ||
    die 7 "the Delta jars are missing and cannot be fetched (offline? own repository?), see $LOG"
  rm -rf "$BUILD/ivy"
  jars_ready || die 7 "the jars fetched to $JARS differ from conf/jars.lock: not used, see $LOG"
}

# set_up base|sail|dev|bench [jvm]: silent where nothing is missing. One set-up at a time: the lock
# belongs to descriptor 9, which this shell keeps open (flock(1) is not everywhere), so it ends with
# the shell.
set_up() {
  local python jvm=${2:-}
  $dry_run && return
  if [[ $jvm ]]; then require_java; fi
  if packages_ready "$1" && { [[ ! $jvm ]] || jars_ready; }; then return; fi
  python=$(find_python)
  mkdir -p "$BUILD"
  exec 9>"$BUILD/setup.lock"
  step 'waiting for its turn' "$python" -c 'import fcntl; fcntl.flock(9, fcntl.LOCK_EX)'
  : >"$LOG"
  packages_ready "$1" || install_packages "$python" "$1"
  if [[ $jvm ]]; then jars_ready || install_jars; fi
  exec 9>&-
}

# quoted WORD...: on one line, as a shell reads it back.
quoted() {
  local word quote=\'
  for word in "$@"; do
    [[ $word =~ ^[A-Za-z0-9_./:=,@%+-]+$ ]] || word="'${word//$quote/$quote\\$quote$quote}'"
    printf '%s ' "$word"
  done
}

# launch COMMAND...: becomes the command, so that signals and exit codes pass, or prints it. Another
# Spark of this machine must not win (SPARK_HOME), nor its Python run the workers (PYSPARK_PYTHON).
launch() {
  local environment=(-u SPARK_HOME "SPARK_CONF_DIR=$ROOT/conf" "PYTHONPATH=$ROOT"
    "PYSPARK_PYTHON=$VENV/bin/python" "PYSPARK_DRIVER_PYTHON=$VENV/bin/python")
  # A laptop's name may resolve to an address of a network that it has left.
  if [[ $profile == local ]]; then environment+=(SPARK_LOCAL_IP=127.0.0.1); fi
  if ! $dry_run; then exec env "${environment[@]}" "$@"; fi
  quoted env "${environment[@]}" "$@"
  echo
  exit
}

# Sets `spark`: the options that every Spark process of a profile is started with.
spark_options() {
  local jar jars=''
  while read -r jar; do jars+=,$JARS/$jar; done < <(jars_locked '\2-\3.jar')
  spark=(--properties-file "$ROOT/conf/spark-$profile.conf" --jars "${jars#,}"
    --conf "spark.sql.warehouse.dir=$BUILD/spark-warehouse")
  if [[ $master ]]; then spark+=(--master "$master"); fi
  # Executors may run elsewhere, without this folder: they get the package as an archive.
  if [[ $profile == standalone ]]; then
    spark+=(--py-files "$BUILD/jobs.zip")
    $dry_run || (cd "$ROOT" && "$VENV/bin/python" -m zipfile -c "$BUILD/jobs.zip" jobs)
  fi
}

# Python starts first here and runs spark-submit for its JVM. The other way round, as --dry-run
# prints it and as it works too, the JVM pours the log of Python into stdout, hides the terminal
# from it, and even a mistyped option waits for the JVM.
run_job() {
  if [[ " $* " == *' --engines '* ]]; then packages=sail; fi
  if [[ $engine == sail ]]; then
    set_up sail
    launch "$VENV/bin/python" "$ROOT/jobs/$command.py" --engine sail "$@"
  fi
  set_up "$packages" jvm
  spark_options
  set -- "$ROOT/jobs/$command.py" "$@"
  if $dry_run; then launch "$VENV/bin/spark-submit" "${spark[@]}" "$@"; fi
  PYSPARK_SUBMIT_ARGS="$(quoted "${spark[@]}")pyspark-shell" launch "$VENV/bin/python" "$@"
}

# The statement that makes the tables known prints a line of greeting. With -e or -f that line is
# taken off, so that stdout holds the result alone.
run_sql() {
  if [[ " $* " =~ ' '(-h|--help)' ' ]]; then
    echo "usage: sql [--engine spark|sail] [--warehouse DIR] [--conf-file FILE] [-e QUERY | -f FILE]
  [-d NAME=VALUE ...]
The SQL shell with every table of the warehouse; without -e and -f it is interactive."
    return
  fi
  if [[ $engine == sail ]]; then
    set_up sail
    if [[ $conf_file ]]; then set -- --conf-file "$conf_file" "$@"; fi
    launch "$VENV/bin/python" -m jobs.core.sail_shell "$warehouse" "$@"
  fi
  set_up base jvm
  local init
  init=$BUILD/shell/$(cksum <<<"$warehouse $conf_file $*" | cut -d ' ' -f 1).sql
  (launch "$VENV/bin/python" -m jobs.core.shell "$warehouse" "$init" "$conf_file" "$@")
  spark_options
  set -- "$VENV/bin/spark-sql" "${spark[@]}" --driver-memory 1g \
    --conf spark.sql.cli.print.header=true -i "$init" "$@"
  if $dry_run || [[ ! " $* " =~ ' '-[ef]' ' ]]; then launch "$@"; fi
  launch "$@" | tail -n +2
}

run_tests() {
  set_up dev jvm
  $dry_run || cd "$ROOT"
  launch "$VENV/bin/python" -m pytest -m "$tests" "$@"
}

# Every tool runs, also after a complaint: one round shows all there is to mend.
run_lint() {
  (($# == 0)) || die 2 "lint has no options, got '$1'"
  set_up dev
  local tool failed=0
  for tool in 'ruff check jobs tests' 'ruff format --check jobs tests' 'sqlfluff lint sql' \
    'mypy jobs' 'shellcheck spark-submit.sh .ci/run'; do
    $dry_run || echo "lint: $tool"
    # shellcheck disable=SC2086  # the words of $tool are arguments
    (cd "$ROOT" && launch "$VENV/bin/"$tool) || failed=1
  done
  ((failed == 0)) || die 1 "lint found the above; much of it mends itself with .venv/bin/ruff \
check --fix jobs tests, .venv/bin/ruff format jobs tests and .venv/bin/sqlfluff fix sql"
}

# The help is made of the `##` comments at the end of this file.
show_help() {
  echo 'Usage: ./spark-submit.sh [--profile local|standalone] [--master URL] [--engine spark|sail]
  [--dry-run] COMMAND'
  awk -F '## |##@ |\\)' '/^  ##@ / { printf "\n%s\n", $2 }
    /^  [a-z]+\) .* ## / { printf "  %-9s %s\n", substr($1, 3), $NF }' "$ROOT/spark-submit.sh"
  printf '\nThe options of a command: ./spark-submit.sh COMMAND --help\n'
}

profile=local master='' dry_run=false command='' warehouse=$ROOT/warehouse tests='not slow' rest=()
engine=spark conf_file=''
packages=base
while (($#)); do
  case $command:$1 in
    *:--profile=* | *:--master=* | *:--engine=* | sql:--warehouse=* | sql:--conf-file=*)
      set -- "${1%%=*}" "${1#*=}" "${@:2}"
      continue
      ;;
    *:--profile | *:--master | *:--engine | sql:--warehouse | sql:--conf-file)
      [[ ${2:-} && $2 != --* ]] || die 2 "option $1 needs a value"
      name=${1#--}
      printf -v "${name//-/_}" %s "$2"
      shift
      ;;
    *:--dry-run) dry_run=true ;;
    test:--slow) tests='slow or not slow' ;;
    :-h | :--help) command=help ;;
    :-*) die 2 "unknown option $1, see ./spark-submit.sh help" ;;
    :*) command=$1 ;;
    *) rest+=("$1") ;;
  esac
  shift
done
set -- ${rest[@]+"${rest[@]}"}
[[ $profile == local || $profile == standalone ]] || die 2 "no profile '$profile'"
[[ $engine == spark || $engine == sail ]] || die 2 "no engine '$engine': spark or sail"
[[ $engine == spark || $command =~ ^(plan|build|verify|sql)$ ]] ||
  die 2 "engine sail runs SQL alone: plan, build, verify and sql; '$command' needs Spark"
[[ $engine == spark || ! $master && $profile == local ]] ||
  die 2 "engine sail is one process on this machine: no --profile and no --master with it"

case ${command:-help} in
  ##@ All of it, for a first look
  pipeline) run_job "$@" ;; ## generate, build, train, score and report, in this order
  ##@ Step by step
  generate) run_job "$@" ;; ## a synthetic shop: users, events, orders, and the truth behind them
  ingest) run_job "$@" ;;   ## your own users, events and orders: CSV, JSON lines or Parquet
  plan) run_job "$@" ;;     ## what the next build would do, and why
  build) run_job "$@" ;;    ## clean tables and metrics: what is missing, some days, or all
  train) run_job "$@" ;;    ## the models: who buys in the next 7 days, who stays away for 14
  score) run_job "$@" ;;    ## those probabilities, with reasons, for each eligible user of a day
  monitor) run_job "$@" ;;  ## did data, features, scores or outcomes of a scored day drift? --selftest
  registry) run_job "$@" ;; ## list the models, let one serve, go back, calibrate again
  backtest) run_job "$@" ;; ## models of past dates, judged on what came after them
  uplift) run_job "$@" ;;   ## what the synthetic shop's campaign adds, and whom to contact
  report) run_job "$@" ;;   ## charts as PNG, each with its numbers as CSV
  ##@ Look and check
  verify) run_job "$@" ;;   ## do all tables agree, with each other and with the truth? --realism
  maintain) run_job "$@" ;; ## removes what runs left that died before their commit
  doctor) run_job "$@" ;;   ## is everything there that a run needs?
  sql) run_sql "$@" ;;      ## Spark SQL shell with all tables; -e QUERY, -f FILE, -d NAME=VALUE
  bench) packages=bench; run_job "$@" ;; ## speed of generate, build and models, beside others in one run
  ##@ Work on it
  test) run_tests "$@" ;;   ## the tests; --slow adds the long ones, other options go to pytest
  lint) run_lint "$@" ;;    ## style and types of Python, SQL and shell
  help) show_help ;;        ## this list
  *) die 2 "unknown command '$command', see ./spark-submit.sh help" ;;
esac
