/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Names of the contract: shared by the daemon and its clients, needs nothing else. The members are in the
 * org.phoned.Phone1.*.xml files of this folder, the errors in errors.def. */

#define PHONE_DBUS_NAME "org.phoned.Phone1"
#define PHONE_DBUS_PATH "/org/phoned/Phone1"
/* + "/" + id, escaped as by sd_bus_path_encode */
#define PHONE_DBUS_ACCOUNT_PATH PHONE_DBUS_PATH "/account"
/* + "/" + number */
#define PHONE_DBUS_CALL_PATH PHONE_DBUS_PATH "/call"
#define PHONE_DBUS_CONFERENCE_PATH PHONE_DBUS_PATH "/conference"
#define PHONE_DBUS_WATCH_PATH PHONE_DBUS_PATH "/watch"

#define PHONE_DBUS_MANAGER "org.phoned.Phone1.Manager"
#define PHONE_DBUS_ACCOUNT "org.phoned.Phone1.Account"
#define PHONE_DBUS_CALL "org.phoned.Phone1.Call"
#define PHONE_DBUS_CONFERENCE "org.phoned.Phone1.Conference"
#define PHONE_DBUS_MEDIA "org.phoned.Phone1.Media"
#define PHONE_DBUS_RECORDING "org.phoned.Phone1.Recording"
#define PHONE_DBUS_RECORDINGS "org.phoned.Phone1.Recordings"
#define PHONE_DBUS_AUDIO "org.phoned.Phone1.Audio"
#define PHONE_DBUS_DND "org.phoned.Phone1.Dnd"
#define PHONE_DBUS_HISTORY "org.phoned.Phone1.History"
#define PHONE_DBUS_MESSAGES "org.phoned.Phone1.Messages"
#define PHONE_DBUS_PRESENCE "org.phoned.Phone1.Presence"
#define PHONE_DBUS_FORWARDING "org.phoned.Phone1.Forwarding"
#define PHONE_DBUS_VOICEMAIL "org.phoned.Phone1.Voicemail"
#define PHONE_DBUS_WATCH "org.phoned.Phone1.Watch"

#define PHONE_DBUS_ERROR_PREFIX "org.phoned.Phone1.Error."

/* Where an object path is due and there is no object (Manager.DefaultAccount without accounts). */
#define PHONE_DBUS_NO_OBJECT "/"
