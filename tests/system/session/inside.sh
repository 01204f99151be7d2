#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Runs as a system service in the booted tree: a user session with phoned as a real user service. One line for each check in
# /result/log, "ok ..." or "not ok ...".
set -u
user=tester
uid=$(id -u $user)
exec > /result/output 2>&1

as () { runuser -u $user -- env XDG_RUNTIME_DIR=/run/user/"$uid" DBUS_SESSION_BUS_ADDRESS=unix:path=/run/user/"$uid"/bus "$@"; }
unit () { as systemctl --user show -P "$1" phoned.service; }
check () { # TEXT COMMAND...
  local text=$1
  shift
  if "$@"; then echo "ok $text" >> /result/log; else echo "not ok $text" >> /result/log; return 1; fi
}
finish () {
  as systemd-analyze security --user phoned.service --no-pager > /result/security 2>&1
  tail -1 /result/security
  journalctl _UID="$uid" --no-pager > /result/journal
  echo done >> /result/log
  systemctl poweroff --force
  exit
}
# Waits until the command succeeds; there is no event for the state of a unit that a shell could wait for.
until_true () { # SECONDS COMMAND...
  local end=$(($(date +%s) + $1))
  shift
  until "$@"; do
    [ "$(date +%s)" -lt "$end" ] || return 1
    sleep 0.1
  done
}
registered () { [ "$(as phonectl --json account show alice | python3 -c 'import json,sys; print(json.load(sys.stdin)["Registration"])' 2>/dev/null)" = registered ]; }
bindings () { kamcmd -s unix:/run/provider/ctl ul.dump 2>/dev/null | grep -c 'AoR: alice'; }
new_pid () { local pid; pid=$(unit MainPID); [ "$pid" != 0 ] && [ "$pid" != "$1" ]; }
has_binding () { [ "$(bindings)" -gt 0 ]; }
no_binding () { [ "$(bindings)" = 0 ]; }
pid_is_zero () { [ "$(unit MainPID)" = 0 ]; }

until_true 30 test -S /run/user/"$uid"/bus || echo "not ok no user bus" >> /result/log
mkdir -p /run/provider
printf 'alice:wonderland\n' > /run/provider/users.in
/provider/provider start /run/provider --user alice:wonderland --user bob:builder > /dev/null || echo "not ok provider" >> /result/log
cp /run/provider/ca.pem /tmp/ca.pem && chmod 644 /tmp/ca.pem

mkdir -p -m 700 /home/$user/.ssh
echo secret > /home/$user/.ssh/id_test
touch /home/$user/.bashrc
chown -R $user /home/$user/.ssh /home/$user/.bashrc

check "the service is not running before anybody asks" pid_is_zero
check "phonectl starts it by bus activation" as phonectl --timeout=20 status || finish
check "systemd says active" test "$(unit ActiveState)" = active
check "an account can be added" sh -c "printf wonderland | runuser -u $user -- env XDG_RUNTIME_DIR=/run/user/$uid DBUS_SESSION_BUS_ADDRESS=unix:path=/run/user/$uid/bus phonectl account add alice aor=sip:alice@phoned.test outbound-proxy=127.0.77.1:5061 transport=tls tls-ca=/tmp/ca.pem --password-stdin"
check "it registers over TLS" until_true 10 registered

# A call, in the sandbox of the unit: from a tone at bob, who is a phone on a bus of his own, to a file of ours in the home directory, and
# then to the user's sound server.
mkdir -p /tmp/bob/config/phoned/accounts.d /tmp/bob/run
printf 'builder' > /tmp/bob/password
printf '[audio]\ninput=tone:440\noutput=silence\nring=silence\n' > /tmp/bob/config/phoned/phoned.conf
cat > /tmp/bob/config/phoned/accounts.d/bob.conf <<'EOF'
[account]
aor=sip:bob@phoned.test
outbound-proxy=127.0.77.1:5061
transport=tls
tls-ca=/tmp/ca.pem
password-file=/tmp/bob/password
auto-answer=0
EOF
chmod 700 /tmp/bob/run
chmod 600 /tmp/bob/password
chown -R $user /tmp/bob
runuser -u $user -- env XDG_CONFIG_HOME=/tmp/bob/config XDG_STATE_HOME=/tmp/bob/state XDG_CACHE_HOME=/tmp/bob/cache XDG_DATA_HOME=/tmp/bob/data \
  XDG_RUNTIME_DIR=/tmp/bob/run dbus-run-session -- phoned --log-level=debug > /result/bob 2>&1 &
check "bob registers" until_true 15 grep -q 'Account bob: .*registered' /result/bob
loud () { # WAV-FILE: whether its last half is no silence
  python3 -c 'import array, sys
data = open(sys.argv[1], "rb").read()[44:]
samples = array.array("h", data[len(data) // 4 * 2:len(data) // 2 * 2])
sys.exit(not samples or max(map(abs, samples)) < 2000)' "$1"
}
state () { as phonectl --json call show "$1" | python3 -c 'import json,sys; print(json.load(sys.stdin)["State"])' 2>/dev/null; }
is_active () { [ "$(state "$1")" = active ]; }
received () { [ "$(as phonectl --json stats "$1" | python3 -c 'import json,sys; print(json.load(sys.stdin).get("packets-received", 0))' 2>/dev/null)" -gt "$2" ]; }
plays_there () { as pactl list sink-inputs short | grep -q .; }
records_there () { as pactl list source-outputs short | grep -q .; }
has_real_time () { chrt -a -p "$(unit MainPID)" | grep -q 'SCHED_RR'; }
granted () { journalctl -u rtkit-daemon --no-pager | grep -q "Successfully made thread .* of process $(unit MainPID) owned by '$uid' RT"; }
as phonectl audio input tone:1000
as phonectl audio output file:/home/$user/heard.wav
number=$(as phonectl dial bob)
number=${number#call }
check "a call is active in the sandbox" until_true 15 is_active "$number"
check "packets arrive" until_true 10 received "$number" 50
as phonectl call show "$number"
check "the user may not have real-time priority by himself" test "$(as sh -c 'ulimit -r')" = 0
check "sound has it all the same" until_true 10 has_real_time
check "RealtimeKit has granted it" until_true 10 granted
as phonectl hangup "$number"
as phonectl audio output silence
check "what came from bob is in the file" loud /home/$user/heard.wav
check "journal has fields for the call" sh -c "journalctl _UID=$uid CALL=$number -o json | grep -q '\"SIP_CALL_ID\"'"
as pactl load-module module-null-source source_name=microphone > /dev/null
as phonectl audio input pulse
as phonectl audio output pulse
number=$(as phonectl dial bob)
number=${number#call }
check "a call is active with the sound server" until_true 15 is_active "$number"
check "the sound server plays it" until_true 10 plays_there
check "the sound server records for it" until_true 10 records_there
check "packets arrive there too" until_true 10 received "$number" 50
as phonectl --json audio
as phonectl hangup "$number"
as phonectl audio input silence
as phonectl audio output silence
inside_unit () { nsenter --mount --target "$(unit MainPID)" -- runuser -u $user -- "$@"; }
refused () { ! inside_unit sh -c "$1" 2>/dev/null; }
check "the system is read-only in there" refused 'touch /var/tmp/phoned-was-here'
check "the keys of ssh are not to be seen in there" refused "cat /home/$user/.ssh/id_test"
check "the shell's start file is read-only in there" refused "echo >> /home/$user/.bashrc"
check "but the home directory can be written to" inside_unit touch /home/$user/phoned-was-here

pid=$(unit MainPID)
kill -SEGV "$pid"
check "a crash is followed by a restart" until_true 10 new_pid "$pid"
check "the account is back after the crash" until_true 15 registered
pid=$(unit MainPID)
kill -ABRT "$pid"
check "a failed assertion too" until_true 10 new_pid "$pid"
check "the account is back after the assertion" until_true 15 registered

mkdir -p /home/$user/.config/systemd/user/phoned.service.d
printf '[Service]\nWatchdogSec=2\n' > /home/$user/.config/systemd/user/phoned.service.d/watchdog.conf
chown -R $user /home/$user/.config
as systemctl --user daemon-reload
as systemctl --user restart phoned.service
check "registered after a restart" until_true 15 registered
pid=$(unit MainPID)
sleep 5
check "the watchdog is content for 5 s with WatchdogSec=2" test "$(unit MainPID)" = "$pid"
kill -STOP "$pid"
check "the watchdog bites a process that hangs" until_true 30 new_pid "$pid"
check "the account is back after the watchdog" until_true 15 registered

# That it answers afterwards is what tells: a process that the reload has ended may still be the unit's for a moment.
reloads () { as systemctl --user reload phoned.service && as phonectl --timeout=20 status && [ "$(unit MainPID)" = "$1" ]; }
check "reload keeps the process" reloads "$(unit MainPID)"
check "the provider has a binding" until_true 15 has_binding
begin=$(date +%s%N)
as systemctl --user stop phoned.service
took=$((($(date +%s%N) - begin) / 1000000))
check "stop takes less than 2 s (took $took ms)" test "$took" -lt 2000
check "stop un-REGISTERs" until_true 2 no_binding
check "the unit ended well" test "$(unit Result)" = success

# Credentials: the password comes from LoadCredential= and is in no file of ours.
printf wonderland > /home/$user/secret
chown $user /home/$user/secret
chmod 600 /home/$user/secret
rm -rf /home/$user/.local/state/phoned/secrets
printf '[Service]\nLoadCredential=phoned-alice:/home/%s/secret\n' $user > /home/$user/.config/systemd/user/phoned.service.d/credential.conf
as systemctl --user daemon-reload
as systemctl --user start phoned.service
check "registers with a password from a systemd credential" until_true 15 registered

# What phoned(1) tells those to do who have no user namespaces.
printf '[Service]\nPrivateUsers=no\nCapabilityBoundingSet=~\n' > /home/$user/.config/systemd/user/phoned.service.d/no-namespaces.conf
as systemctl --user daemon-reload
as systemctl --user restart phoned.service
check "starts and registers without a user namespace" until_true 15 registered
rm /home/$user/.config/systemd/user/phoned.service.d/no-namespaces.conf
as systemctl --user daemon-reload

check "journal has fields for one account" sh -c "journalctl _UID=$uid ACCOUNT=alice -o cat | grep -q registered"
check "no password in the journal" sh -c "! journalctl -o export | grep -q wonderland"
finish
