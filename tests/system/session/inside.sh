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
  if "$@"; then echo "ok $text" >> /result/log; else echo "not ok $text" >> /result/log; fi
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
/provider/provider start /run/provider --user alice:wonderland > /dev/null || echo "not ok provider" >> /result/log
cp /run/provider/ca.pem /tmp/ca.pem && chmod 644 /tmp/ca.pem

check "the service is not running before anybody asks" pid_is_zero
check "phonectl starts it by bus activation" as phonectl status
check "systemd says active" test "$(unit ActiveState)" = active
check "an account can be added" sh -c "printf wonderland | runuser -u $user -- env XDG_RUNTIME_DIR=/run/user/$uid DBUS_SESSION_BUS_ADDRESS=unix:path=/run/user/$uid/bus phonectl account add alice aor=sip:alice@phoned.test outbound-proxy=127.0.77.1:5061 transport=tls tls-ca=/tmp/ca.pem --password-stdin"
check "it registers over TLS" until_true 10 registered

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

check "reload keeps the process" sh -c "before=\$(runuser -u $user -- env XDG_RUNTIME_DIR=/run/user/$uid systemctl --user show -P MainPID phoned.service); runuser -u $user -- env XDG_RUNTIME_DIR=/run/user/$uid systemctl --user reload phoned.service && [ \"\$before\" = \"\$(runuser -u $user -- env XDG_RUNTIME_DIR=/run/user/$uid systemctl --user show -P MainPID phoned.service)\" ]"
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

check "journal has fields for one account" sh -c "journalctl _UID=$uid ACCOUNT=alice -o cat | grep -q registered"
check "no password in the journal" sh -c "! journalctl -o export | grep -q wonderland"
as systemd-analyze security --user phoned.service --no-pager > /result/security 2>&1
tail -1 /result/security
journalctl _UID="$uid" --no-pager > /result/journal
echo done >> /result/log
systemctl poweroff --force
