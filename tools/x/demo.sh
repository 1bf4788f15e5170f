# The whole of Tocsin in two minutes: a server of its own, traffic that changes without notice, the incident.

readonly DEMO_DIR=.tocsin/demo
readonly DEMO_PID="$DEMO_DIR.pid"

run_demo() {
  local change=model simulate=no
  while [ $# -gt 0 ]; do
    case "$1" in
      --stop) stop_demo; return ;;
      --simulate) simulate=yes ;;
      --change)
        [ $# -ge 2 ] || die "--change needs one of: none model prompt hallucinate pretend mix"
        change="$2" simulate=yes
        shift
        ;;
      *) die "usage: ./x demo [--simulate] [--change model|prompt|hallucinate|pretend|mix|none] | ./x demo --stop" ;;
    esac
    shift
  done
  build_preset release tocsin
  stop_demo
  start_demo_server
  trap 'warn "interrupted; ./x demo --stop stops the server"' INT
  if [ "$simulate" = no ] && [ -d "$(demo_data)" ]; then send_recorded; else send_simulated "$change"; fi
  wait_for_monitors
  show_demo_incidents "$change"
}

demo_data() { printf '%s/alpaca_eval' "${TOCSIN_DATA:-../shared/data}"; }

stop_demo() {
  local pid
  pid=$(cat "$DEMO_PID" 2>/dev/null) || return 0
  rm -f "$DEMO_PID"
  # Only the process we started: the id may belong to another program by now.
  if ! grep -qa 'release/tocsin' "/proc/$pid/cmdline" 2>/dev/null; then return 0; fi
  say "stopping the demo's server (process $pid)"
  kill "$pid" 2>/dev/null || return 0
  for _ in $(seq 100); do
    kill -0 "$pid" 2>/dev/null || return 0
    sleep 0.1
  done
  warn "process $pid does not stop; kill it with: kill -9 $pid"
}

port_taken() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# The port itself when free, else the next free one above 14000.
free_port() {
  local port="$1"
  if port_taken "$port"; then
    for port in $(seq $((10000 + $1)) 10 $((11000 + $1))); do
      if ! port_taken "$port"; then break; fi
    done
    say "port $1 is taken by another program; the demo uses $port"
  fi
  printf '%s' "$port"
}

start_demo_server() {
  local http grpc pid
  rm -rf "$DEMO_DIR" && mkdir -p "$DEMO_DIR"
  http=$(free_port 4318) grpc=$(free_port 4317)
  DEMO_URL="http://127.0.0.1:$http"
  say "starting a server on $DEMO_URL (data in $DEMO_DIR, log in $DEMO_DIR.log)"
  setsid build/release/tocsin serve --data "$DEMO_DIR" --http "127.0.0.1:$http" --grpc "127.0.0.1:$grpc" \
    >"$DEMO_DIR.log" 2>&1 </dev/null &
  pid=$!
  echo "$pid" >"$DEMO_PID"
  for _ in $(seq 300); do
    if build/release/tocsin status --url "$DEMO_URL" >/dev/null 2>&1; then return; fi
    if ! kill -0 "$pid" 2>/dev/null; then
      tail -n 20 "$DEMO_DIR.log" >&2
      rm -f "$DEMO_PID"
      die "the server did not start"
    fi
    sleep 0.1
  done
  die "the server does not answer after 30 s; see $DEMO_DIR.log"
}

demo_replay() {
  local quiet=()
  if [ ! -t 2 ]; then quiet=(--quiet); fi
  build/release/tocsin replay "$@" "${quiet[@]}" --url "$DEMO_URL" --rate 100 >&2
}

# Real answers: two dated snapshots of one model, served under one name.
send_recorded() {
  local data
  data=$(demo_data)
  say "using real data from $data: 805 answers of gpt-3.5-turbo-0301, then 805 of gpt-3.5-turbo-0613,"
  say "both under the name gpt-3.5-turbo: the provider's swap of June 2023, as a caller saw it"
  demo_replay "$data/gpt-3.5-turbo-0301.jsonl.zst" "$data/gpt-3.5-turbo-0613.jsonl.zst" \
    --service assistant --prompt-name answer --model gpt-3.5-turbo --hide-model --shuffle-seed 1 \
    --start "$(date -u -d '3 days ago' +%Y-%m-%dT%H:%M:%SZ)" --span 3d
}

# A made-up support assistant, when there is no recorded data.
send_simulated() {
  local traffic=build/demo-traffic.jsonl
  say "using the built-in simulated support assistant: 1200 answers, change after 800: $1"
  build/release/tocsin simulate --answers 1200 --change-after 800 --change "$1" --output "$traffic"
  demo_replay "$traffic"
}

# Until everything sent has been judged.
wait_for_monitors() {
  say "waiting until the monitors have seen everything"
  local state
  for _ in $(seq 120); do
    state=$(build/release/tocsin status --json --url "$DEMO_URL" | python3 -c '
import json, sys
status = json.load(sys.stdin)
detection = status["detection"]
print("done" if detection["position"] >= status["ingest"]["durable_position"]
      and not detection["queued_generations"] and not detection["waiting"] else "busy")') || state=busy
    if [ "$state" = done ]; then
      sleep 3 # an open incident shows new evidence within two seconds
      return
    fi
    sleep 0.5
  done
  warn "the monitors are still busy after a minute; the list below may be incomplete"
}

show_demo_incidents() {
  local ids id
  ids=$(build/release/tocsin incidents --all --json --url "$DEMO_URL" | python3 -c '
import json, sys
found = json.load(sys.stdin)["incidents"]
found.sort(key=lambda i: (not i.get("page", True), i.get("severity", ""), i.get("opened", "")))
print("\n".join(i["id"] for i in found))')
  echo
  build/release/tocsin incidents --all --url "$DEMO_URL"
  id=$(head -n 1 <<<"$ids")
  if [ -n "$id" ]; then
    echo
    build/release/tocsin incident show "$id" --url "$DEMO_URL"
  fi
  cat <<TEXT

The server is still running at $DEMO_URL
  look again   ./x tocsin incidents --url $DEMO_URL
  one page     ./x tocsin incident show ${id:-ID} --url $DEMO_URL
  its state    ./x tocsin status --url $DEMO_URL
  stop it      ./x demo --stop
TEXT
  if [ -z "$id" ] && [ "$1" != none ] && [ "$1" != mix ]; then
    die "no incident was opened although behaviour changed; see $DEMO_DIR.log"
  fi
}
